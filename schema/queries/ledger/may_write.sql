-- Whether a run may still write: nobody has ended it, and the session that took the writer lock for it has it still.
SELECT r.status = 'running'
       AND (r.lock_pid IS NULL
            OR EXISTS (SELECT FROM pg_locks l
                       WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid = r.lock_pid
                         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                         AND l.classid::bigint = %(lock)s::bigint >> 32
                         AND l.objid::bigint = %(lock)s::bigint & 4294967295))
FROM ops.run r
WHERE r.run_id = %(run_id)s
