-- Labels on their way into ml.fraud_label.
CREATE TEMPORARY TABLE incoming_label (LIKE ml.fraud_label) ON COMMIT DROP
