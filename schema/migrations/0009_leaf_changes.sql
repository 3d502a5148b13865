-- What changes of leaves were made in place, with the control totals that were carried over.
CREATE TABLE ops.leaf_change (
    change_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action        text   NOT NULL CHECK (action IN ('regrain', 'rescue', 'adopt')),
    table_name    text   NOT NULL,
    leaves_before text[] NOT NULL,
    leaves_after  text[] NOT NULL,
    row_count     bigint,
    totals        jsonb,
    recorded_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  ops.leaf_change               IS 'Written in the transaction that puts leaves in the place of others: change of grain, rescue of a DEFAULT partition, adoption.';
COMMENT ON COLUMN ops.leaf_change.change_id     IS 'Surrogate.';
COMMENT ON COLUMN ops.leaf_change.action        IS 'regrain, rescue or adopt.';
COMMENT ON COLUMN ops.leaf_change.table_name    IS 'Partitioned table, with its schema.';
COMMENT ON COLUMN ops.leaf_change.leaves_before IS 'Tables that held the rows, with their schema.';
COMMENT ON COLUMN ops.leaf_change.leaves_after  IS 'Tables that hold them now.';
COMMENT ON COLUMN ops.leaf_change.row_count     IS 'Rows, counted on both sides; NULL where no row was copied.';
COMMENT ON COLUMN ops.leaf_change.totals        IS 'By column: the sum of numbers, the sum of 64-bit hashes of anything else; equal on both sides. NULL where no row was copied.';
COMMENT ON COLUMN ops.leaf_change.recorded_at   IS 'When the transaction began.';
