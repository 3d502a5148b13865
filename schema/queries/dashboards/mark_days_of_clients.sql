-- Days of versions that belong to another country or segment than before.
INSERT INTO ops.stale_day (date_key, facts)
SELECT DISTINCT s.date_key, true
FROM changed_client c
JOIN dwh.fact_daily_client_summary s USING (client_key)
WHERE c.is_regrouped
ON CONFLICT (date_key) DO UPDATE SET facts = true
