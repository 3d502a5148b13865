-- Those facts, pointed at the version that is true at their moment.
UPDATE dwh.fact_transactions f
SET client_key = s.new_key
FROM stale_fact s
WHERE f.date_key >= %(first)s AND f.date_key < %(end)s AND f.date_key = s.date_key AND f.transaction_id = s.transaction_id
