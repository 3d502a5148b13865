-- What the manager of partitions did.
CREATE TABLE ops.partition_step (
    step_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name  text   NOT NULL,
    leaf        text,
    kind        text   NOT NULL,
    line        text   NOT NULL,
    row_count   bigint NOT NULL,
    size_bytes  bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  ops.partition_step             IS 'One row a step of cauri partitions apply: written in the transaction that does it, or directly after a statement that runs in none.';
COMMENT ON COLUMN ops.partition_step.step_id     IS 'Surrogate.';
COMMENT ON COLUMN ops.partition_step.table_name  IS 'Partitioned table, with its schema.';
COMMENT ON COLUMN ops.partition_step.leaf        IS 'Leaf, without a schema; NULL for a step on the table as a whole.';
COMMENT ON COLUMN ops.partition_step.kind        IS 'Kind of step: create, attach, detach, archive, drop and so on; docs/partitions.md lists them.';
COMMENT ON COLUMN ops.partition_step.line        IS 'The step as cauri partitions plan prints it.';
COMMENT ON COLUMN ops.partition_step.row_count   IS 'Rows that it concerned, as estimated when it was planned.';
COMMENT ON COLUMN ops.partition_step.size_bytes  IS 'Bytes that it concerned.';
COMMENT ON COLUMN ops.partition_step.recorded_at IS 'When the transaction began.';
