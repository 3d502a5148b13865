-- Rows of a file that has been read again under another mapping: each is loaded by now, or in quarantine once more.
UPDATE ops.quarantine
SET state = 'resolved', resolved_run_id = %s, resolved_at = now()
WHERE state = 'open' AND content_hash = %s AND feed = %s AND contract <> ALL (%s)
