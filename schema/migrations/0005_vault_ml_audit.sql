-- Identity (encrypted), model tables, access log.
CREATE TABLE vault.client_identity (
    client_ref  bytea PRIMARY KEY,
    key_id      text  NOT NULL,
    wrapped_key bytea NOT NULL,
    identity    bytea NOT NULL,
    as_of       timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  vault.client_identity             IS 'One row a client: who it is, readable only with its own key, which only the vault key opens.';
COMMENT ON COLUMN vault.client_identity.client_ref  IS 'Pseudonym of the client.';
COMMENT ON COLUMN vault.client_identity.key_id      IS 'Which vault key wraps the client''s key.';
COMMENT ON COLUMN vault.client_identity.wrapped_key IS 'The client''s key, wrapped: nonce and AES-256-GCM ciphertext. Erasure destroys it.';
COMMENT ON COLUMN vault.client_identity.identity    IS 'JSON of client_id, company_name, msisdn, email: nonce and AES-256-GCM ciphertext; associated data is client_ref.';
COMMENT ON COLUMN vault.client_identity.as_of       IS 'effective_at of the row this identity came from; the latest wins.';
COMMENT ON COLUMN vault.client_identity.recorded_at IS 'When the warehouse learned it.';

CREATE TABLE ml.fraud_label (
    transaction_id text COLLATE "C" PRIMARY KEY,
    is_fraud       boolean NOT NULL,
    reported_at    timestamptz NOT NULL,
    load_id        integer NOT NULL
);
COMMENT ON TABLE  ml.fraud_label                IS 'One row a transaction that was reviewed or reported; labels arrive late, and the delay is data.';
COMMENT ON COLUMN ml.fraud_label.transaction_id IS 'Transaction; it may not have arrived yet.';
COMMENT ON COLUMN ml.fraud_label.is_fraud       IS 'Confirmed fraud, or reviewed and found honest.';
COMMENT ON COLUMN ml.fraud_label.reported_at    IS 'When the label became known; the latest report wins.';
COMMENT ON COLUMN ml.fraud_label.load_id        IS 'Run that wrote it.';

CREATE TABLE ml.fraud_score (
    scored_at      timestamptz NOT NULL,
    fraud_score    double precision NOT NULL CHECK (fraud_score BETWEEN 0 AND 1),
    date_key       integer NOT NULL,
    transaction_id text COLLATE "C" NOT NULL,
    model_version  text NOT NULL,
    band           text NOT NULL CHECK (band IN ('allow', 'review', 'block')),
    reasons        text[] NOT NULL
) PARTITION BY RANGE (date_key);
COMMENT ON TABLE  ml.fraud_score                IS 'One row a scored transaction, in the leaves of the same days as the fact.';
COMMENT ON COLUMN ml.fraud_score.scored_at      IS 'When it was scored.';
COMMENT ON COLUMN ml.fraud_score.fraud_score    IS 'Probability of fraud, 0 to 1.';
COMMENT ON COLUMN ml.fraud_score.date_key       IS 'Day of the transaction; partition key.';
COMMENT ON COLUMN ml.fraud_score.transaction_id IS 'Transaction.';
COMMENT ON COLUMN ml.fraud_score.model_version  IS 'Model that scored it.';
COMMENT ON COLUMN ml.fraud_score.band           IS 'allow, review, block.';
COMMENT ON COLUMN ml.fraud_score.reasons        IS 'Strongest reasons, strongest first.';

CREATE TABLE ml.client_segment (
    client_ref    bytea    NOT NULL,
    as_of         date     NOT NULL,
    recency       integer  NOT NULL,
    frequency     integer  NOT NULL,
    monetary      numeric  NOT NULL,
    r_score       smallint NOT NULL CHECK (r_score BETWEEN 1 AND 5),
    f_score       smallint NOT NULL CHECK (f_score BETWEEN 1 AND 5),
    m_score       smallint NOT NULL CHECK (m_score BETWEEN 1 AND 5),
    segment       smallint NOT NULL CHECK (segment BETWEEN 1 AND 5),
    model_version text     NOT NULL,
    PRIMARY KEY (client_ref, as_of)
);
COMMENT ON TABLE  ml.client_segment               IS 'One row a client and day of segmentation: a history.';
COMMENT ON COLUMN ml.client_segment.client_ref    IS 'Pseudonym of the client.';
COMMENT ON COLUMN ml.client_segment.as_of         IS 'Day of the segmentation, exclusive.';
COMMENT ON COLUMN ml.client_segment.recency       IS 'Days since the last transaction.';
COMMENT ON COLUMN ml.client_segment.frequency     IS 'Transactions in 12 months.';
COMMENT ON COLUMN ml.client_segment.monetary      IS 'Value in 12 months, in units of the reporting currency.';
COMMENT ON COLUMN ml.client_segment.r_score       IS 'Quintile of recency, 5 is best.';
COMMENT ON COLUMN ml.client_segment.f_score       IS 'Quintile of frequency, 5 is best.';
COMMENT ON COLUMN ml.client_segment.m_score       IS 'Quintile of value, 5 is best.';
COMMENT ON COLUMN ml.client_segment.segment       IS '1 Champions, 2 Loyal, 3 At Risk, 4 Hibernating, 5 Lost.';
COMMENT ON COLUMN ml.client_segment.model_version IS 'Segmentation model.';

CREATE TABLE audit.access_log (
    access_id   bigint GENERATED ALWAYS AS IDENTITY,
    accessed_at timestamptz NOT NULL DEFAULT now(),
    who         text  NOT NULL DEFAULT session_user,
    object      text  NOT NULL,
    purpose     text  NOT NULL,
    client_ref  bytea,
    PRIMARY KEY (access_id, accessed_at)
);
COMMENT ON TABLE  audit.access_log             IS 'One row an access to personal data.';
COMMENT ON COLUMN audit.access_log.access_id   IS 'Number of the access.';
COMMENT ON COLUMN audit.access_log.accessed_at IS 'When.';
COMMENT ON COLUMN audit.access_log.who         IS 'Login that read.';
COMMENT ON COLUMN audit.access_log.object      IS 'What was read.';
COMMENT ON COLUMN audit.access_log.purpose     IS 'Why, as stated by the reader.';
COMMENT ON COLUMN audit.access_log.client_ref  IS 'Client concerned, where it is one.';
