-- A run lives; sent on the connection that holds the writer lock.
UPDATE ops.run SET lock_pid = pg_backend_pid(), lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE run_id = %(run_id)s AND status = 'running'
