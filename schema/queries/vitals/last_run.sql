-- The newest successful run that read rows of files. Of a replay, many rows being refused again says nothing of the feeds.
SELECT run_id, finished_at, summary, coalesce(rows_rejected::double precision / nullif(rows_read, 0), 0) AS rejected_share
FROM ops.run
WHERE status = 'done' AND rows_read > 0 AND command <> 'replay'
ORDER BY run_id DESC
LIMIT 1
