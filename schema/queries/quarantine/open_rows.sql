-- Refused rows that nobody has dealt with yet, and how their files were read.
SELECT q.quarantine_id, q.content_hash, q.file_name, q.feed, q.contract, q.row_number, q.reasons, q.attempts, q.run_id,
       q.form_id, q.correction IS NOT NULL AS is_corrected, coalesce(q.correction, q.payload) AS payload
FROM ops.quarantine q
WHERE state = 'open'
  AND (%(feed)s::text IS NULL OR q.feed = %(feed)s)
  AND (%(reason)s::text IS NULL OR %(reason)s = ANY (q.reasons))
  AND (%(file)s::text IS NULL OR q.file_name LIKE %(file)s)
  AND (%(run)s::bigint IS NULL OR %(run)s IN (q.run_id, q.last_run_id))
  AND (%(since)s::date IS NULL OR q.recorded_at >= %(since)s::date)
  AND (%(until)s::date IS NULL OR q.recorded_at < %(until)s::date + 1)
  AND (%(ids)s::bigint[] IS NULL OR q.quarantine_id = ANY (%(ids)s))
ORDER BY q.file_name, q.feed, q.content_hash, q.contract, q.row_number
LIMIT %(limit)s
