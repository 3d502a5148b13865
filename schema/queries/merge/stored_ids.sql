-- Offered rows whose id a leaf already holds.
SELECT i.seq, i.transaction_id
FROM incoming i
JOIN dwh.fact_transactions f ON f.transaction_id = i.transaction_id COLLATE "C"
