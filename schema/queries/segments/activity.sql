-- On how many days before one each client was active, on which first and last; $1 is that day.
SELECT a.client, c.client_ref, a.first_key, a.last_key, a.active_days
FROM (
    SELECT d.client, min(d.date_key) AS first_key, max(d.date_key) AS last_key, count(*)::integer AS active_days
    FROM (
        SELECT DISTINCT client_durable_key AS client, date_key
        FROM dwh.fact_daily_client_summary
        WHERE date_key < $1 AND client_durable_key <> 0 AND successes > 0
    ) d
    GROUP BY d.client
) a
JOIN dwh.dim_client c ON c.client_key = a.client
