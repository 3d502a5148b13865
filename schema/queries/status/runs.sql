-- The last ten runs; one that never ended and has lost its session was killed.
SELECT r.command || ' ' || r.run_id AS run,
       CASE WHEN r.status = 'running'
                 AND NOT EXISTS (SELECT FROM pg_locks l
                                 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid = r.lock_pid
                                   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                                   AND l.classid::bigint = %(lock)s::bigint >> 32
                                   AND l.objid::bigint = %(lock)s::bigint & 4294967295)
            THEN 'killed' ELSE r.status END AS status,
       r.started_at AS started, r.rows_read AS read, r.rows_loaded AS loaded, r.rows_updated AS updated,
       r.rows_repeated AS repeated, r.rows_rejected AS rejected
FROM ops.run r
ORDER BY r.run_id DESC
LIMIT 10
