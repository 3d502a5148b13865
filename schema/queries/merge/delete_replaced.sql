-- The versions that newer ones replace.
DELETE FROM dwh.fact_transactions f
USING replaced_fact r
WHERE f.date_key = r.date_key AND f.transaction_id = r.transaction_id
