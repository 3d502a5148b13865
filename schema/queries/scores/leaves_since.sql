-- Leaves of the facts that runs after a given one wrote to.
SELECT DISTINCT leaf ->> 'leaf'
FROM ops.run, jsonb_array_elements(summary -> 'leaves') AS leaf
WHERE run_id > %(after)s AND status = 'done'
