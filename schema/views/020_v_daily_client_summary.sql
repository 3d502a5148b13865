-- The daily summary with names and decimals.
CREATE OR REPLACE VIEW dwh.v_daily_client_summary WITH (security_invoker = true) AS
SELECT d.full_date,
       c.client_code,
       c.customer_segment,
       s.service_name,
       s.category,
       cu.currency_code,
       f.transactions,
       f.successes,
       f.failures,
       f.pendings,
       f.reversals,
       (f.amount_minor         / power(10::numeric, cu.exponent))::numeric(24, 4) AS amount,
       (f.success_amount_minor / power(10::numeric, cu.exponent))::numeric(24, 4) AS success_amount,
       (f.commission_minor     / power(10::numeric, cu.exponent))::numeric(24, 4) AS commission,
       f.processing_ms_sum::numeric / nullif(f.processing_ms_count, 0) AS mean_processing_ms,
       f.distinct_beneficiaries,
       f.anomalies,
       f.date_key,
       f.client_key,
       f.service_key
FROM dwh.fact_daily_client_summary f
JOIN dwh.dim_date d USING (date_key)
JOIN dwh.dim_client c USING (client_key)
JOIN dwh.dim_service s USING (service_key)
JOIN dwh.dim_currency cu USING (currency_key);
COMMENT ON VIEW dwh.v_daily_client_summary IS 'One row a day x client x service x currency, with names and decimals.';
