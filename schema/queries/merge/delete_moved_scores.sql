-- Scores of transactions whose newer version stands on another day: they are scored there.
DELETE FROM ml.fraud_score WHERE date_key = ANY (%(days)s::integer[]) AND transaction_id = ANY (%(ids)s::text[])
