-- Versions that were closed, moved or completed; their keys stay.
UPDATE dwh.dim_client d
SET customer_segment = v.customer_segment,
    company_size     = v.company_size,
    risk_level       = v.risk_level,
    sector           = v.sector,
    country_code     = v.country_code,
    city             = v.city,
    kyc_level        = v.kyc_level,
    onboarded_on     = v.onboarded_on,
    valid_from       = v.valid_from,
    valid_to         = v.valid_to,
    is_current       = v.is_current,
    recorded_at      = v.recorded_at,
    is_inferred      = v.is_inferred,
    attribute_hash   = v.attribute_hash
FROM client_version v
WHERE d.client_key = v.client_key
