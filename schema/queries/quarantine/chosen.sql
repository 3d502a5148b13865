-- Open rows by what a person, or a corrected file, names; what is NULL does not narrow the choice.
SELECT q.*
FROM ops.quarantine q
WHERE q.state = 'open'
  AND (%(feed)s::text IS NULL OR q.feed = %(feed)s)
  AND (%(reason)s::text IS NULL OR %(reason)s = ANY (q.reasons))
  AND (%(file)s::text IS NULL OR q.file_name LIKE %(file)s)
  AND (%(run)s::bigint IS NULL OR %(run)s IN (q.run_id, q.last_run_id))
  AND (%(since)s::date IS NULL OR q.recorded_at >= %(since)s::date)
  AND (%(until)s::date IS NULL OR q.recorded_at < %(until)s::date + 1)
  AND (%(ids)s::bigint[] IS NULL OR q.quarantine_id = ANY (%(ids)s))
