-- Every row of some files that was ever refused and is not, for a comparison, what the file says it is.
SELECT q.quarantine_id, q.content_hash, q.file_name, q.feed, q.contract, q.row_number, q.reasons, q.attempts, q.run_id,
       q.form_id, q.correction IS NOT NULL AS is_corrected,
       CASE WHEN q.state = 'resolved' THEN coalesce(q.correction, q.payload) END AS payload
FROM ops.quarantine q
WHERE q.feed = %(feed)s AND q.content_hash = ANY (%(hashes)s)
ORDER BY q.file_name, q.feed, q.content_hash, q.contract, q.row_number
