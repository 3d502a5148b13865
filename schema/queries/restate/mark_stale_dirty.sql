-- Cells of restored days that belong to clients whose facts were ever restated: the summary may have stayed while the facts were away.
INSERT INTO ops.dirty_range (date_key, client_key, service_key, run_id)
SELECT c.date_key, c.client_key, c.service_key, (SELECT max(run_id) FROM ops.restated_range)
FROM (SELECT date_key, client_key, service_key FROM dwh.fact_transactions WHERE date_key >= %(first)s AND date_key < %(end)s
      UNION
      SELECT date_key, client_key, service_key FROM dwh.fact_daily_client_summary WHERE date_key >= %(first)s AND date_key < %(end)s) AS c
WHERE c.client_key IN (SELECT old_key FROM ops.restated_range UNION SELECT new_key FROM ops.restated_range)
ON CONFLICT DO NOTHING
