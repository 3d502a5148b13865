-- Scores on their way into ml.fraud_score.
CREATE TEMPORARY TABLE incoming_score (
    transaction_id text COLLATE "C" NOT NULL, date_key integer NOT NULL
) ON COMMIT DROP
