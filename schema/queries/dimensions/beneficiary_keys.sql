-- Keys of the beneficiaries of a batch, and the days on which they were seen first.
SELECT b.beneficiary_ref, b.beneficiary_key, b.first_seen_on
FROM dwh.dim_beneficiary b
JOIN incoming i USING (beneficiary_ref)
