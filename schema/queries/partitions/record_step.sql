-- Enter a step of the manager.
INSERT INTO ops.partition_step (table_name, leaf, kind, line, row_count, size_bytes)
VALUES (%s, %s, %s, %s, %s, %s)
