-- Transactions of some days that runs after a given one wrote.
SELECT transaction_id FROM dwh.fact_transactions WHERE date_key >= $1 AND date_key < $2 AND load_id > $3
