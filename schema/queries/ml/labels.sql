-- Fraud reports, the latest of each transaction.
SELECT transaction_id, is_fraud, reported_at FROM ml.fraud_label
