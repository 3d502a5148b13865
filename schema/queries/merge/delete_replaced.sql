-- The versions that newer ones replace, in whichever leaf they stand.
DELETE FROM dwh.fact_transactions f
USING incoming_verdict v
WHERE v.verdict = 'updated' AND f.date_key = v.old_date_key AND f.transaction_id = v.transaction_id
