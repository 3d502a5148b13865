-- A run begins.
INSERT INTO ops.run (command, status, work_id, started_at) VALUES (%s, 'running', %s, %s) RETURNING run_id
