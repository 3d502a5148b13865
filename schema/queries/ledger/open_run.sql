-- A run begins.
INSERT INTO ops.run (command, status, work_id) VALUES (%s, 'running', %s) RETURNING run_id
