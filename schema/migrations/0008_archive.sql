-- What was archived: one row a file, and what became of the leaf since.
CREATE TABLE ops.archive (
    archive_id  bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name  text    NOT NULL,
    leaf        text    NOT NULL,
    first_day   date    NOT NULL,
    end_day     date    NOT NULL CHECK (end_day > first_day),
    columns     jsonb   NOT NULL,
    row_count   bigint  NOT NULL,
    sums        jsonb   NOT NULL,
    digest      numeric NOT NULL,
    file_name   text    NOT NULL UNIQUE,
    file_sha256 text    NOT NULL,
    size_bytes  bigint  NOT NULL,
    versions    jsonb   NOT NULL,
    archived_at timestamptz NOT NULL,
    state       text    NOT NULL CHECK (state IN ('archived', 'dropped', 'restored', 'superseded')),
    changed_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX archive_leaf ON ops.archive (table_name, leaf);
COMMENT ON TABLE  ops.archive             IS 'One row an archived leaf: the file that holds its rows, and what proves that it does. Written after the file was read back.';
COMMENT ON COLUMN ops.archive.archive_id  IS 'Surrogate.';
COMMENT ON COLUMN ops.archive.table_name  IS 'Partitioned table, with its schema.';
COMMENT ON COLUMN ops.archive.leaf        IS 'Name of the leaf, without a schema.';
COMMENT ON COLUMN ops.archive.first_day   IS 'First day of the leaf.';
COMMENT ON COLUMN ops.archive.end_day     IS 'Day after its last one.';
COMMENT ON COLUMN ops.archive.columns     IS 'Columns in the order of the file: [name, type] as PostgreSQL writes it.';
COMMENT ON COLUMN ops.archive.row_count   IS 'Rows.';
COMMENT ON COLUMN ops.archive.sums        IS 'Exact sum of each integer and numeric column, as text.';
COMMENT ON COLUMN ops.archive.digest      IS 'Sum over the rows of the first 64 bits of a SHA-256 of each; docs/partitions.md says of what. It does not depend on the order of rows or columns.';
COMMENT ON COLUMN ops.archive.file_name   IS 'Parquet file, below the archive folder. The manifest stands beside it, with the ending .json.';
COMMENT ON COLUMN ops.archive.file_sha256 IS 'SHA-256 of the file.';
COMMENT ON COLUMN ops.archive.size_bytes  IS 'Size of the file in bytes.';
COMMENT ON COLUMN ops.archive.versions    IS 'Programs that wrote it, by name.';
COMMENT ON COLUMN ops.archive.archived_at IS 'When the leaf was read.';
COMMENT ON COLUMN ops.archive.state       IS 'archived: the leaf stands; dropped: only the file has the rows; restored: the leaf was built from it; superseded: the leaf changed and was archived again.';
COMMENT ON COLUMN ops.archive.changed_at  IS 'When the state was set.';
