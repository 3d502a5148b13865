-- What the shadow and the champion said of the same transactions, and what is known of them.
SELECT c.date_key, c.fraud_score, c.band, s.fraud_score AS shadow_score, s.band AS shadow_band, l.is_fraud
FROM ml.shadow_score s
JOIN ml.fraud_score c USING (date_key, transaction_id)
LEFT JOIN ml.fraud_label l USING (transaction_id)
WHERE c.model_version = $1 AND s.model_version = $2 AND date_key >= $3 AND date_key < $4
