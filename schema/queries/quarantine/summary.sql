-- Chosen open rows by feed and reason; a row that failed two rules counts twice.
SELECT q.feed, reason, count(*) AS rows, count(DISTINCT q.content_hash) AS files, count(*) FILTER (WHERE q.attempts > 0) AS replayed,
       min(q.recorded_at) AS oldest
FROM ops.quarantine q, unnest(q.reasons) AS reason
WHERE state = 'open'
  AND (%(feed)s::text IS NULL OR q.feed = %(feed)s)
  AND (%(reason)s::text IS NULL OR %(reason)s = ANY (q.reasons))
  AND (%(file)s::text IS NULL OR q.file_name LIKE %(file)s)
  AND (%(run)s::bigint IS NULL OR %(run)s IN (q.run_id, q.last_run_id))
  AND (%(since)s::date IS NULL OR q.recorded_at >= %(since)s::date)
  AND (%(until)s::date IS NULL OR q.recorded_at < %(until)s::date + 1)
  AND (%(ids)s::bigint[] IS NULL OR q.quarantine_id = ANY (%(ids)s))
GROUP BY q.feed, reason
ORDER BY count(*) DESC, q.feed, reason
