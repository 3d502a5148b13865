-- Scores of some days, all of which are written anew.
DELETE FROM ml.fraud_score WHERE date_key = ANY (%(days)s::integer[])
