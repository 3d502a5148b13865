-- Days of clients without a country, if a place that was known has come to lie in another one.
INSERT INTO ops.stale_day (date_key, facts)
SELECT DISTINCT s.date_key, true
FROM dwh.dim_client c
JOIN dwh.fact_daily_client_summary s USING (client_key)
WHERE c.country_code IS NULL
  AND EXISTS (SELECT
              FROM ops.seen_location o
              JOIN dwh.dim_location n USING (location_key)
              WHERE o.country_code IS DISTINCT FROM n.country_code)
ON CONFLICT (date_key) DO UPDATE SET facts = true
