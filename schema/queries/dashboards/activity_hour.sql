-- Transactions of some days by hour.
INSERT INTO {activity_hour} (transactions, date_key, hour, currency_key, country_code)
SELECT count(*), f.date_key, f.time_key / 60, f.currency_key, coalesce(c.country_code, p.country_code, 'UNKNOWN')
FROM dwh.fact_transactions f
JOIN dwh.dim_client c USING (client_key)
JOIN dwh.dim_location p USING (location_key)
WHERE f.date_key = ANY (%(days)s::integer[])
GROUP BY 2, 3, 4, 5
