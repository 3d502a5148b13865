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
       f.beneficiary_key,
       f.transaction_ts AT TIME ZONE coalesce((SELECT value FROM ops.setting WHERE name = 'business_timezone'), 'UTC') AS local_ts,
       CASE st.status_code WHEN 'SUCCESS' THEN 'RÉUSSIE' WHEN 'FAILED' THEN 'ÉCHOUÉE' WHEN 'PENDING' THEN 'EN ATTENTE'
                           WHEN 'REVERSED' THEN 'ANNULÉE' ELSE 'INCONNUE' END AS status_fr,
       t.day_part,
       CASE t.day_part WHEN 'night' THEN 'nuit' WHEN 'morning' THEN 'matin' WHEN 'afternoon' THEN 'après-midi' ELSE 'soir' END AS day_part_fr,
       coalesce(c.country_code, l.country_code, 'UNKNOWN') AS client_country_code
FROM dwh.fact_transactions f
JOIN dwh.dim_date d USING (date_key)
JOIN dwh.dim_time t USING (time_key)
JOIN dwh.dim_client c USING (client_key)
JOIN dwh.dim_service s USING (service_key)
JOIN dwh.dim_channel ch USING (channel_key)
JOIN dwh.dim_location l USING (location_key)
JOIN dwh.dim_currency cu USING (currency_key)
JOIN dwh.dim_status st USING (status_key);
COMMENT ON COLUMN dwh.v_transactions.country_code        IS 'Country of the place.';
COMMENT ON COLUMN dwh.v_transactions.local_ts            IS 'Moment in the business time zone, as a timestamp without one.';
COMMENT ON COLUMN dwh.v_transactions.status_fr           IS 'Status in French.';
COMMENT ON COLUMN dwh.v_transactions.day_part            IS 'Part of the day: night, morning, afternoon, evening.';
COMMENT ON COLUMN dwh.v_transactions.day_part_fr         IS 'Part of the day in French.';
COMMENT ON COLUMN dwh.v_transactions.client_country_code IS 'Country of the client, else of the place, else UNKNOWN: the one by which dashboards group.';
COMMENT ON VIEW dwh.v_transactions IS 'One row a transaction, with names and decimals in place of keys and minor units.';
