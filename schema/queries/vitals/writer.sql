-- Who holds the writer lock: its session, and the run it leads, if it has begun one.
SELECT l.pid, a.backend_start AS since, r.run_id, r.command, r.started_at, r.lease_until,
       r.lease_until < clock_timestamp() AS expired
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN ops.run r ON r.lock_pid = l.pid AND r.status = 'running'
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint = %(lock)s::bigint >> 32 AND l.objid::bigint = %(lock)s::bigint & 4294967295
ORDER BY r.run_id DESC NULLS LAST
LIMIT 1
