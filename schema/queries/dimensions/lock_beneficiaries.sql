-- The beneficiaries for this transaction alone, or an error at once: nobody waits for a reader.
LOCK TABLE dwh.dim_beneficiary IN ACCESS EXCLUSIVE MODE NOWAIT
