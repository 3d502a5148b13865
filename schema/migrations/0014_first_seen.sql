-- The first day is the earliest that any row tells, whenever the row came.
COMMENT ON COLUMN dwh.dim_beneficiary.first_seen_on IS 'Earliest day of a transaction that named the beneficiary, in the order of days and not of loads.';
