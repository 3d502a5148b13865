-- Runs that never ended and whose session is gone: killed. Only those after which none has ended well since: one of the same
-- command, or one that takes up what an interrupted load left.
SELECT r.run_id, r.command, r.started_at
FROM ops.run r
WHERE r.status = 'running'
  AND NOT EXISTS (SELECT FROM ops.run later
                  WHERE later.status = 'done' AND later.run_id > r.run_id
                    AND (later.command = r.command OR later.command IN ('load', 'nightly', 'replay', 'refresh')))
  AND NOT EXISTS (SELECT FROM pg_locks l
                  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid = r.lock_pid
                    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND l.classid::bigint = %(lock)s::bigint >> 32
                    AND l.objid::bigint = %(lock)s::bigint & 4294967295)
ORDER BY r.run_id
