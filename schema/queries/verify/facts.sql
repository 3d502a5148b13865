-- What the daily summary of some days is made of.
SELECT f.client_key, f.date_key, f.service_key, f.currency_key, f.status_key, f.amount_minor, f.commission_minor,
       f.processing_ms, f.beneficiary_key, f.anomaly_flags, c.durable_key AS client_durable_key
FROM dwh.fact_transactions f
JOIN dwh.dim_client c USING (client_key)
WHERE f.date_key >= {first} AND f.date_key < {end}
