-- Clients who came into another group are counted there in the months in which they were active, and no longer where they were.
INSERT INTO dwh.active_month AS t (active_clients, month, service_key, country_code, customer_segment)
WITH moved AS (
    SELECT o.durable_key,
           coalesce(o.country_code, 'UNKNOWN') AS old_country, o.customer_segment AS old_segment,
           coalesce(n.country_code, 'UNKNOWN') AS new_country, n.customer_segment AS new_segment
    FROM ops.seen_client o
    JOIN ops.client_now n ON n.durable_key = o.durable_key AND n.is_newest
    WHERE o.is_newest AND o.durable_key IN (SELECT durable_key FROM changed_client)
      AND (o.country_code, o.customer_segment) IS DISTINCT FROM (n.country_code, n.customer_segment)
), active AS MATERIALIZED (
    SELECT DISTINCT m.*, make_date(s.date_key / 10000, s.date_key / 100 % 100, 1) AS month, s.service_key
    FROM moved m
    JOIN dwh.dim_client c ON c.durable_key = m.durable_key
    JOIN dwh.fact_daily_client_summary s ON s.client_key = c.client_key
), counted AS (
    SELECT DISTINCT durable_key, month, service_key, old_country, old_segment, new_country, new_segment FROM active
    UNION ALL
    SELECT DISTINCT durable_key, month, -1::smallint, old_country, old_segment, new_country, new_segment FROM active
)
SELECT sum(g.sign), c.month, c.service_key, g.country, g.segment
FROM counted c
CROSS JOIN LATERAL (VALUES (-1, c.old_country, c.old_segment), (1, c.new_country, c.new_segment)) g (sign, country, segment)
GROUP BY c.month, c.service_key, g.country, g.segment
ON CONFLICT (month, service_key, country_code, customer_segment) DO UPDATE
SET active_clients = t.active_clients + excluded.active_clients
