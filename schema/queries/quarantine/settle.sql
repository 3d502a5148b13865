-- What became of replayed rows: resolved, or open with the reasons of this attempt.
UPDATE ops.quarantine q
SET attempts = q.attempts + 1, last_run_id = %(run_id)s::bigint,
    correction = coalesce(r.correction, q.correction), correction_ref = coalesce(r.correction_ref, q.correction_ref),
    reasons = coalesce(string_to_array(r.reasons, ','), q.reasons),
    form_id = CASE WHEN r.reasons IS NULL THEN r.form_id ELSE q.form_id END,
    state = CASE WHEN r.reasons IS NULL THEN 'resolved' ELSE 'open' END,
    resolved_run_id = CASE WHEN r.reasons IS NULL THEN %(run_id)s::bigint END,
    resolved_at = CASE WHEN r.reasons IS NULL THEN now() END
FROM replayed_row r
WHERE q.quarantine_id = r.quarantine_id AND q.state = 'open'
