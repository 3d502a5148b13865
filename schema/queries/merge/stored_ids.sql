-- Offered rows whose id a leaf already holds, and the run that put it there.
SELECT i.seq, i.transaction_id, f.load_id
FROM incoming i
JOIN dwh.fact_transactions f ON f.transaction_id = i.transaction_id COLLATE "C"
