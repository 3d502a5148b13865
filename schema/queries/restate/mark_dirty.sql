-- Cells that lose or gain facts.
INSERT INTO ops.dirty_range (date_key, client_key, service_key, run_id)
SELECT date_key, old_key, service_key, %(run_id)s::bigint FROM restated_cell WHERE date_key = ANY (%(days)s::integer[])
UNION
SELECT date_key, new_key, service_key, %(run_id)s::bigint FROM restated_cell WHERE date_key = ANY (%(days)s::integer[])
ON CONFLICT DO NOTHING
