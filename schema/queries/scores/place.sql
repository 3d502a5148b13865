-- The day of a transaction.
SELECT date_key FROM dwh.fact_transactions WHERE transaction_id = %s
