-- The oldest transactions of others in this database that a change of partitions may wait for.
SELECT a.pid, a.application_name, coalesce(a.state, a.backend_type), extract(epoch FROM now() - a.xact_start)::int
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
ORDER BY a.xact_start
LIMIT 3
