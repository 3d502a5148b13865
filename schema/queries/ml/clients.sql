-- Versions of clients: a fact points at the version that was true when it was made.
SELECT client_key, durable_key AS client, country_code AS client_country, customer_segment, company_size, risk_level, kyc_level,
       onboarded_on
FROM dwh.dim_client
