-- All days that have leaves, or rows in a table of dashboards.
INSERT INTO ops.stale_day (date_key, facts)
WITH leaf AS MATERIALIZED (SELECT DISTINCT first_key, end_key FROM ops.attached_leaf)
SELECT d.date_key, true
FROM leaf l
JOIN dwh.dim_date d ON d.date_key >= l.first_key AND d.date_key < l.end_key
UNION
SELECT date_key, true
FROM (SELECT date_key FROM dwh.activity_day
      UNION ALL
      SELECT date_key FROM dwh.activity_hour
      UNION ALL
      SELECT date_key FROM dwh.processing_day
      UNION ALL
      SELECT date_key FROM dwh.fraud_case
      UNION ALL
      SELECT to_char(month, 'YYYYMMDD')::integer FROM dwh.active_month
      UNION ALL
      SELECT to_char(month, 'YYYYMMDD')::integer FROM dwh.client_month) AS kept
ON CONFLICT (date_key) DO UPDATE SET facts = true
