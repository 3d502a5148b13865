-- A run ends, with its sums.
UPDATE ops.run
SET status = %s, finished_at = now(),
    rows_read = %s, rows_loaded = %s, rows_updated = %s, rows_repeated = %s, rows_rejected = %s, summary = %s::jsonb
WHERE run_id = %s
