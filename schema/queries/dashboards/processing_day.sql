-- Percentiles of some days.
INSERT INTO {processing_day} (p95_processing_ms, date_key, service_key, currency_key, country_code)
SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY f.processing_ms), f.date_key, f.service_key, f.currency_key,
       coalesce(c.country_code, p.country_code, 'UNKNOWN')
FROM dwh.fact_transactions f
JOIN dwh.dim_client c USING (client_key)
JOIN dwh.dim_location p USING (location_key)
WHERE f.date_key = ANY (%(days)s::integer[]) AND f.processing_ms IS NOT NULL
GROUP BY 2, 3, 4, 5
