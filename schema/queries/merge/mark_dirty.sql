-- Cells of the daily summary that lose or gain a row.
INSERT INTO ops.dirty_range (date_key, client_key, service_key, run_id)
SELECT date_key, client_key, service_key, %(run_id)s
FROM (SELECT i.date_key, i.client_key, i.service_key
      FROM incoming_fact i JOIN incoming_verdict v USING (seq)
      WHERE v.verdict IN ('loaded', 'updated')
      UNION
      SELECT v.old_date_key, v.old_client_key, v.old_service_key
      FROM incoming_verdict v
      WHERE v.verdict = 'updated') AS touched
ON CONFLICT DO NOTHING
