-- Cells that were found to differ are recomputed like those whose facts changed.
INSERT INTO ops.dirty_range (date_key, client_key, service_key, run_id)
SELECT DISTINCT date_key, client_key, service_key, %s::bigint FROM differing_cell
ON CONFLICT DO NOTHING
