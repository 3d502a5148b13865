-- How many transactions have used one of the tables for longer than a moment, those that only read it if wanted.
SELECT count(DISTINCT a.pid)
FROM pg_locks l
JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.relation = ANY (%(tables)s::regclass[])
  AND (%(readers)s OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
  AND a.xact_start < clock_timestamp() - interval '300 milliseconds'
