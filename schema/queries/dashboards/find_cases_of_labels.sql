-- Transactions of changed labels.
INSERT INTO case_id
SELECT f.date_key, f.transaction_id
FROM changed_label
JOIN dwh.fact_transactions f USING (transaction_id)
