-- The newest run of each command and status.
SELECT DISTINCT ON (command, status) run_id, command, status, finished_at
FROM ops.run
WHERE finished_at IS NOT NULL
ORDER BY command, status, finished_at DESC
