-- Refused rows that nobody has dealt with yet, and how their files were read.
SELECT q.quarantine_id, q.content_hash, q.file_name, q.feed, q.contract, q.row_number, q.reasons, q.attempts, q.run_id,
       q.form_id, q.correction IS NOT NULL AS is_corrected, coalesce(q.correction, q.payload) AS payload
FROM ({chosen}) AS q
ORDER BY q.file_name, q.feed, q.content_hash, q.contract, q.row_number
LIMIT %(limit)s
