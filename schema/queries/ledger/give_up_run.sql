-- A run ends without having finished, by what its process knows of it even if it was stopped before it learned its number.
UPDATE ops.run SET status = %s, finished_at = now() WHERE work_id = %s AND started_at = %s AND status = 'running'
