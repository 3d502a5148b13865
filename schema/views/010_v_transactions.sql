-- Every transaction with the names of its dimensions and amounts as decimals.
CREATE OR REPLACE VIEW dwh.v_transactions WITH (security_invoker = true) AS
SELECT f.transaction_id,
       f.transaction_ts,
       d.full_date,
       t.hour,
       c.client_code,
       c.customer_segment,
       c.company_size,
       c.risk_level,
       s.service_name,
       s.category,
       ch.channel_name,
       l.city,
       l.country_code,
       cu.currency_code,
       st.status_code AS status,
       (f.amount_minor     / power(10::numeric, cu.exponent))::numeric(20, 4) AS transaction_amount,
       (f.commission_minor / power(10::numeric, cu.exponent))::numeric(20, 4) AS commission_amount,
       f.processing_ms,
       f.anomaly_flags,
       f.date_key,
       f.client_key,
       f.service_key,
       f.beneficiary_key
FROM dwh.fact_transactions f
JOIN dwh.dim_date d USING (date_key)
JOIN dwh.dim_time t USING (time_key)
JOIN dwh.dim_client c USING (client_key)
JOIN dwh.dim_service s USING (service_key)
JOIN dwh.dim_channel ch USING (channel_key)
JOIN dwh.dim_location l USING (location_key)
JOIN dwh.dim_currency cu USING (currency_key)
JOIN dwh.dim_status st USING (status_key);
COMMENT ON VIEW dwh.v_transactions IS 'One row a transaction, with names and decimals in place of keys and minor units.';
