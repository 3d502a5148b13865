-- Different clients of a month, in the group of their newest version.
INSERT INTO {active_month} (active_clients, month, service_key, country_code, customer_segment)
SELECT count(DISTINCT a.durable_key), %(month)s::date, coalesce(a.service_key, -1), coalesce(c.country_code, 'UNKNOWN'), c.customer_segment
FROM (SELECT DISTINCT client_durable_key AS durable_key, service_key
      FROM dwh.fact_daily_client_summary
      WHERE date_key >= %(first)s AND date_key < %(end)s) a
JOIN ops.client_now c ON c.durable_key = a.durable_key AND c.is_newest
GROUP BY GROUPING SETS ((a.service_key, coalesce(c.country_code, 'UNKNOWN'), c.customer_segment),
                        (coalesce(c.country_code, 'UNKNOWN'), c.customer_segment))
