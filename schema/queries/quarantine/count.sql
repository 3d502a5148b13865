-- How many open rows are chosen, and how many of them cannot be replayed.
SELECT count(*) AS rows, count(*) FILTER (WHERE q.form_id IS NULL) AS without_form
FROM ops.quarantine q
WHERE state = 'open'
  AND (%(feed)s::text IS NULL OR q.feed = %(feed)s)
  AND (%(reason)s::text IS NULL OR %(reason)s = ANY (q.reasons))
  AND (%(file)s::text IS NULL OR q.file_name LIKE %(file)s)
  AND (%(run)s::bigint IS NULL OR %(run)s IN (q.run_id, q.last_run_id))
  AND (%(since)s::date IS NULL OR q.recorded_at >= %(since)s::date)
  AND (%(until)s::date IS NULL OR q.recorded_at < %(until)s::date + 1)
  AND (%(ids)s::bigint[] IS NULL OR q.quarantine_id = ANY (%(ids)s))
