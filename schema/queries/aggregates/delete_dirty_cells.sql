-- Cells that will be computed again.
DELETE FROM dwh.fact_daily_client_summary s
USING ops.dirty_range r
WHERE s.date_key = r.date_key AND s.client_key = r.client_key AND s.service_key = r.service_key
