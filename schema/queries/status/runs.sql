-- The last ten runs.
SELECT run_id, command, status, started_at, round(extract(epoch FROM finished_at - started_at)::numeric, 1)::float8 AS seconds,
       rows_read, rows_loaded, rows_updated, rows_repeated, rows_rejected
FROM ops.run
ORDER BY run_id DESC
LIMIT 10
