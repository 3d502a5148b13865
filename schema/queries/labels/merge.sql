-- The latest report of a transaction wins.
INSERT INTO ml.fraud_label (transaction_id, is_fraud, reported_at, load_id)
SELECT transaction_id, is_fraud, reported_at, load_id FROM incoming_label
ON CONFLICT (transaction_id) DO UPDATE
SET is_fraud = excluded.is_fraud, reported_at = excluded.reported_at, load_id = excluded.load_id
WHERE fraud_label.reported_at < excluded.reported_at
