-- Key figures by day and currency, made from the daily summary.
DROP MATERIALIZED VIEW IF EXISTS dwh.mv_daily_kpi CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_daily_kpi AS
SELECT f.date_key,
       d.full_date,
       d.year,
       d.month_number,
       cu.currency_code,
       sum(f.transactions)::bigint AS transactions,
       sum(f.successes)::bigint    AS successes,
       sum(f.failures)::bigint     AS failures,
       count(DISTINCT c.client_ref) FILTER (WHERE f.transactions > 0) AS active_clients,
       (sum(f.success_amount_minor) / power(10::numeric, cu.exponent))::numeric(28, 4) AS success_amount,
       (sum(f.commission_minor)     / power(10::numeric, cu.exponent))::numeric(28, 4) AS revenue,
       round(sum(f.successes)::numeric / sum(f.transactions), 6) AS success_rate,
       round(sum(f.processing_ms_sum)::numeric / nullif(sum(f.processing_ms_count), 0), 1) AS mean_processing_ms
FROM dwh.fact_daily_client_summary f
JOIN dwh.dim_date d USING (date_key)
JOIN dwh.dim_currency cu USING (currency_key)
JOIN dwh.dim_client c USING (client_key)
GROUP BY f.date_key, d.full_date, d.year, d.month_number, cu.currency_code, cu.exponent
WITH DATA;
CREATE UNIQUE INDEX mv_daily_kpi_key ON dwh.mv_daily_kpi (date_key, currency_code);
CREATE INDEX mv_daily_kpi_year_month ON dwh.mv_daily_kpi (year, month_number);
COMMENT ON MATERIALIZED VIEW dwh.mv_daily_kpi IS 'One row a day and currency: transactions, success rate, volume, revenue, active clients. Refreshed in step 8.';
