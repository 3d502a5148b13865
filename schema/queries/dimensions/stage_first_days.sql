-- First days of beneficiaries on their way into dwh.dim_beneficiary.
CREATE TEMPORARY TABLE incoming_first_day (beneficiary_key integer, seen_on date) ON COMMIT DROP
