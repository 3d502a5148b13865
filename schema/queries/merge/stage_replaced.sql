-- Versions that they replace, in whichever leaf those stand.
CREATE TEMPORARY TABLE replaced_fact (
    transaction_id text COLLATE "C" NOT NULL, date_key integer NOT NULL, client_key integer NOT NULL, service_key smallint NOT NULL
) ON COMMIT DROP
