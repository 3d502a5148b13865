-- Scores enter the ledger as other work does.
ALTER TABLE ops.leaf
    DROP CONSTRAINT leaf_state_check,
    ADD CONSTRAINT leaf_state_check CHECK (state IN ('built', 'merged', 'dimensions', 'labels', 'scored'));
COMMENT ON COLUMN ops.leaf.leaf  IS 'Leaf of fact_transactions; fraud_score and a first day; or merge, dimensions, labels for what a piece of work did in one transaction outside new leaves.';
COMMENT ON COLUMN ops.leaf.state IS 'built: a whole new leaf; merged: rows went into existing leaves; dimensions, labels: those were brought up to date; scored: scores of days of one leaf were written.';

COMMENT ON COLUMN ml.fraud_score.model_version IS 'Model that scored it: end of its training window and beginning of its manifest''s hash.';
COMMENT ON COLUMN ml.fraud_score.band          IS 'allow; review: a person looks at it; block: so high that enough of the same score were fraud.';
COMMENT ON COLUMN ml.fraud_score.reasons       IS 'Families of features that raised the score most, strongest first; none for allow. ml/fraud/reasons.toml says them in words.';
