-- Segmentation: models, what the five segments mean, and what a segmentation says of each client.
CREATE TABLE ml.segment_model (
    model_version text PRIMARY KEY,
    as_of         date NOT NULL,
    sha256        text NOT NULL,
    document      json NOT NULL,
    quality       json NOT NULL,
    load_id       integer NOT NULL,
    fitted_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  ml.segment_model               IS 'One row a fitted segmentation: all that is needed to give clients their segments again.';
COMMENT ON COLUMN ml.segment_model.model_version IS 'rfm-, the day it was fitted for, and the beginning of sha256.';
COMMENT ON COLUMN ml.segment_model.as_of         IS 'End of the window it was fitted on, exclusive.';
COMMENT ON COLUMN ml.segment_model.sha256        IS 'SHA-256 of document, to the letter; a model that does not match is refused.';
COMMENT ON COLUMN ml.segment_model.document      IS 'Window, rates, caps, means, deviations, cuts of the quintiles, centroids, lifetime parameters, hash of the values, versions, seed.';
COMMENT ON COLUMN ml.segment_model.quality       IS 'What was measured of it: stability, silhouettes, agreement with the quintiles.';
COMMENT ON COLUMN ml.segment_model.load_id       IS 'Run that fitted it.';
COMMENT ON COLUMN ml.segment_model.fitted_at     IS 'When it was written.';

CREATE TABLE ml.segment (
    segment    smallint PRIMARY KEY CHECK (segment BETWEEN 1 AND 5),
    name       text NOT NULL,
    name_fr    text NOT NULL,
    meaning    text NOT NULL,
    meaning_fr text NOT NULL,
    action     text NOT NULL,
    action_fr  text NOT NULL
);
COMMENT ON TABLE  ml.segment            IS 'One row a segment: name, meaning and action, as ml/rfm/segments.toml has them.';
COMMENT ON COLUMN ml.segment.segment    IS 'Number, 1 is best.';
COMMENT ON COLUMN ml.segment.name       IS 'Name in English.';
COMMENT ON COLUMN ml.segment.name_fr    IS 'Name in French.';
COMMENT ON COLUMN ml.segment.meaning    IS 'Who is in it, in English.';
COMMENT ON COLUMN ml.segment.meaning_fr IS 'Who is in it, in French.';
COMMENT ON COLUMN ml.segment.action     IS 'What marketing does, in English.';
COMMENT ON COLUMN ml.segment.action_fr  IS 'What marketing does, in French.';

ALTER TABLE ml.client_segment
    ADD COLUMN quintile_segment  smallint NOT NULL CHECK (quintile_segment BETWEEN 1 AND 5),
    ADD COLUMN alive_probability double precision CHECK (alive_probability BETWEEN 0 AND 1),
    ADD COLUMN expected_revenue  double precision,
    ADD COLUMN load_id           integer NOT NULL;
CREATE INDEX client_segment_as_of ON ml.client_segment (as_of, segment);
COMMENT ON COLUMN ml.client_segment.recency           IS 'Days from the last successful transaction to as_of; more than 366 if there is none in the window.';
COMMENT ON COLUMN ml.client_segment.frequency         IS 'Successful transactions in the 12 months before as_of.';
COMMENT ON COLUMN ml.client_segment.monetary          IS 'Amount of those transactions, in units of the model''s reporting currency.';
COMMENT ON COLUMN ml.client_segment.r_score           IS 'Quintile of recency by the model''s cuts, 5 is best.';
COMMENT ON COLUMN ml.client_segment.f_score           IS 'Quintile of frequency by the model''s cuts, 5 is best.';
COMMENT ON COLUMN ml.client_segment.m_score           IS 'Quintile of value by the model''s cuts, 5 is best.';
COMMENT ON COLUMN ml.client_segment.segment           IS 'Nearest centroid: 1 Champions, 2 Loyal, 3 At Risk, 4 Hibernating, 5 Lost.';
COMMENT ON COLUMN ml.client_segment.model_version     IS 'Model whose centroids gave the segment (ml.segment_model).';
COMMENT ON COLUMN ml.client_segment.quintile_segment  IS 'Segment by a rule over the three scores, to compare with.';
COMMENT ON COLUMN ml.client_segment.alive_probability IS 'Probability that the client is still one (BG/NBD); 1 minus it is the risk of churn. NULL after one active day, of which the model says nothing, and if none could be fitted.';
COMMENT ON COLUMN ml.client_segment.expected_revenue  IS 'Commission expected in the 12 months after as_of (BG/NBD and Gamma-Gamma), units of the reporting currency, not discounted.';
COMMENT ON COLUMN ml.client_segment.load_id           IS 'Run that wrote it.';

ALTER TABLE ops.leaf
    DROP CONSTRAINT leaf_state_check,
    ADD CONSTRAINT leaf_state_check CHECK (state IN ('built', 'merged', 'dimensions', 'labels', 'scored', 'segments'));
COMMENT ON COLUMN ops.leaf.leaf  IS 'Leaf of fact_transactions, or of fraud_score; or merge, dimensions, labels, segments and their day for what a piece of work did in one transaction outside new leaves.';
COMMENT ON COLUMN ops.leaf.state IS 'built: a whole new leaf; merged: rows went into existing leaves; dimensions, labels: those were brought up to date; scored: rows of a leaf of fraud_score were written; segments: clients got theirs.';
