-- Facts that point at a version from which their moment was taken, and the version that it has now.
CREATE TEMPORARY TABLE stale_fact (
    transaction_id text COLLATE "C" NOT NULL, date_key integer NOT NULL, new_key integer NOT NULL
) ON COMMIT DROP
