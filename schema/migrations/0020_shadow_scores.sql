-- What a model says that is not champion yet: nobody acts on it, and it is compared with the champion before it is promoted.
CREATE TABLE ml.shadow_score (
    scored_at      timestamptz NOT NULL,
    fraud_score    double precision NOT NULL CHECK (fraud_score BETWEEN 0 AND 1),
    date_key       integer NOT NULL,
    transaction_id text COLLATE "C" NOT NULL,
    model_version  text NOT NULL,
    band           text NOT NULL CHECK (band IN ('allow', 'review', 'block')),
    PRIMARY KEY (date_key, transaction_id)
);
COMMENT ON TABLE  ml.shadow_score                IS 'One row a transaction of the newest 90 days that the shadow has scored beside the champion.';
COMMENT ON COLUMN ml.shadow_score.scored_at      IS 'When it was scored.';
COMMENT ON COLUMN ml.shadow_score.fraud_score    IS 'Probability of fraud, 0 to 1.';
COMMENT ON COLUMN ml.shadow_score.date_key       IS 'Day of the transaction.';
COMMENT ON COLUMN ml.shadow_score.transaction_id IS 'Transaction.';
COMMENT ON COLUMN ml.shadow_score.model_version  IS 'The shadow that scored it.';
COMMENT ON COLUMN ml.shadow_score.band           IS 'What would have been done: allow, review, block.';
