-- Transactions of some days that have a label or an alert.
INSERT INTO case_id
SELECT f.date_key, f.transaction_id
FROM dwh.fact_transactions f
JOIN ml.fraud_label l USING (transaction_id)
WHERE f.date_key = ANY (%(days)s::integer[])
UNION
SELECT s.date_key, s.transaction_id
FROM ml.fraud_score s
WHERE s.date_key = ANY (%(days)s::integer[]) AND s.band <> 'allow'
