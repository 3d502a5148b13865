-- Cells of the daily summary that lose or gain a row.
INSERT INTO ops.dirty_range (date_key, client_key, service_key, run_id)
SELECT date_key, client_key, service_key, %(run_id)s
FROM (SELECT date_key, client_key, service_key FROM incoming_fact
      UNION
      SELECT date_key, client_key, service_key FROM replaced_fact) AS touched
ON CONFLICT DO NOTHING
