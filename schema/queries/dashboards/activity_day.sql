-- Activity of some days, from the daily summary. Of clients without a country the place tells it, which only the facts know.
INSERT INTO {activity_day} (success_amount_minor, commission_minor, processing_ms_sum, processing_ms_count, transactions, successes, failures,
                            pendings, reversals, date_key, service_key, currency_key, country_code, customer_segment)
SELECT sum(success_amount_minor), sum(commission_minor), sum(processing_ms_sum), sum(processing_ms_count), sum(transactions),
       sum(successes), sum(failures), sum(pendings), sum(reversals), date_key, service_key, currency_key, country_code, customer_segment
FROM (SELECT s.success_amount_minor, s.commission_minor, s.processing_ms_sum, s.processing_ms_count, s.transactions, s.successes, s.failures,
             s.pendings, s.reversals, s.date_key, s.service_key, s.currency_key, coalesce(c.country_code, 'UNKNOWN') AS country_code,
             c.customer_segment
      FROM dwh.fact_daily_client_summary s
      JOIN dwh.dim_client c USING (client_key)
      WHERE s.date_key = ANY (%(days)s::integer[])
        AND (c.country_code IS NOT NULL
             OR s.date_key IN (SELECT d.date_key
                               FROM unnest(%(days)s::integer[]) AS d (date_key)
                               WHERE NOT EXISTS (SELECT FROM dwh.fact_transactions f WHERE f.date_key = d.date_key)))
      UNION ALL
      SELECT CASE WHEN f.status_key = 1 THEN f.amount_minor ELSE 0 END, CASE WHEN f.status_key = 1 THEN f.commission_minor ELSE 0 END,
             coalesce(f.processing_ms, 0), (f.processing_ms IS NOT NULL)::integer, 1, (f.status_key = 1)::integer, (f.status_key = 2)::integer,
             (f.status_key = 3)::integer, (f.status_key = 4)::integer, f.date_key, f.service_key, f.currency_key,
             coalesce(p.country_code, 'UNKNOWN'), c.customer_segment
      FROM dwh.dim_client c
      JOIN dwh.fact_transactions f USING (client_key)
      JOIN dwh.dim_location p USING (location_key)
      WHERE c.country_code IS NULL AND f.date_key = ANY (%(days)s::integer[])) AS cells
GROUP BY date_key, service_key, currency_key, country_code, customer_segment
