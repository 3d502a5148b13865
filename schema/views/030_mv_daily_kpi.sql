-- Key figures by day and currency, from the daily summary's totals of each day.
DROP MATERIALIZED VIEW IF EXISTS dwh.mv_daily_kpi CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_daily_kpi AS
SELECT k.date_key,
       d.full_date,
       d.year,
       d.month_number,
       cu.currency_code,
       k.transactions,
       k.successes,
       k.failures,
       k.active_clients,
       (k.success_amount_minor / power(10::numeric, cu.exponent))::numeric(28, 4) AS success_amount,
       (k.commission_minor     / power(10::numeric, cu.exponent))::numeric(28, 4) AS revenue,
       round(k.successes::numeric / k.transactions, 6) AS success_rate,
       round(k.processing_ms_sum::numeric / nullif(k.processing_ms_count, 0), 1) AS mean_processing_ms
FROM ops.day_total k
JOIN dwh.dim_date d USING (date_key)
JOIN dwh.dim_currency cu USING (currency_key)
WITH DATA;
CREATE UNIQUE INDEX mv_daily_kpi_key ON dwh.mv_daily_kpi (date_key, currency_code);
CREATE INDEX mv_daily_kpi_year_month ON dwh.mv_daily_kpi (year, month_number);
COMMENT ON MATERIALIZED VIEW dwh.mv_daily_kpi IS 'One row a day and currency: transactions, success rate, volume, revenue, active clients. Refreshed in step 8.';
