-- The versions that newer ones replace, in the leaf of some days.
DELETE FROM dwh.fact_transactions f
USING replaced_fact r
WHERE f.date_key = ANY (%(days)s::integer[]) AND r.date_key = ANY (%(days)s::integer[])
  AND f.date_key = r.date_key AND f.transaction_id = r.transaction_id
