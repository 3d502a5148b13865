-- The last ten runs.
SELECT command || ' ' || run_id AS run, status, started_at AS started, rows_read AS read, rows_loaded AS loaded,
       rows_updated AS updated, rows_repeated AS repeated, rows_rejected AS rejected
FROM ops.run
ORDER BY run_id DESC
LIMIT 10
