-- After many were written, in the same transaction: a key or pseudonym that is there twice is an error.
ALTER TABLE dwh.dim_beneficiary
    ADD CONSTRAINT dim_beneficiary_pkey PRIMARY KEY (beneficiary_key),
    ADD CONSTRAINT dim_beneficiary_beneficiary_ref_key UNIQUE (beneficiary_ref)
