-- What a piece of work put into a leaf, or did beside the leaves.
INSERT INTO ops.leaf (work_id, leaf, state, run_id, row_count, amount_minor, commission_minor, cells, outcomes)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb)
