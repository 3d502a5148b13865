-- All that was told of the clients of a batch.
SELECT e.event_id, e.client_ref, e.effective_at, e.updated_at, e.is_deleted, e.customer_segment, e.company_size, e.risk_level, e.sector,
       e.country_code, e.city, e.kyc_level, e.onboarded_on
FROM ops.client_event e
JOIN incoming i USING (client_ref)
