-- Transactions whose labels came or changed since.
INSERT INTO case_id
SELECT f.date_key, f.transaction_id
FROM ml.fraud_label l
JOIN dwh.fact_transactions f USING (transaction_id)
WHERE l.load_id > (SELECT version FROM ops.view_source WHERE source = 'labels')
