-- Statuses that a file may name.
SELECT status_code, status_key FROM dwh.dim_status WHERE status_key > 0
