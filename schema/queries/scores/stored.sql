-- The score that a transaction has.
SELECT fraud_score, band, model_version, scored_at FROM ml.fraud_score WHERE date_key = %s AND transaction_id = %s
