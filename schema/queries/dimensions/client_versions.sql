-- All versions of the clients of a batch.
SELECT c.client_ref, c.client_key, c.durable_key, c.customer_segment, c.company_size, c.risk_level, c.sector, c.country_code, c.city,
       c.kyc_level, c.onboarded_on, c.valid_from, c.valid_to, c.is_inferred
FROM dwh.dim_client c
JOIN incoming i USING (client_ref)
