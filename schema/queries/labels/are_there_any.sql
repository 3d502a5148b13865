-- Whether the warehouse has a label.
SELECT EXISTS (SELECT FROM ml.fraud_label)
