-- Keys of the beneficiaries of a batch.
SELECT b.beneficiary_ref, b.beneficiary_key
FROM dwh.dim_beneficiary b
JOIN incoming i USING (beneficiary_ref)
