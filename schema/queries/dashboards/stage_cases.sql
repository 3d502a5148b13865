-- Transactions of which a case may be made.
CREATE TEMPORARY TABLE case_id (date_key integer NOT NULL, transaction_id text COLLATE "C" NOT NULL) ON COMMIT DROP
