-- Days of facts that runs after a given one wrote.
SELECT DISTINCT date_key FROM dwh.fact_transactions
WHERE date_key >= %(first)s AND date_key < %(end)s AND load_id > %(after)s
