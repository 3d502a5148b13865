-- How long a numbered step took.
INSERT INTO ops.step (run_id, step, name, seconds) VALUES (%s, %s, %s, %s)
