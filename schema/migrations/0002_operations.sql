-- The ledger: what ran, what each file brought, which leaf holds what, which rows were refused.
CREATE TABLE ops.run (
    run_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command       text NOT NULL,
    status        text NOT NULL CHECK (status IN ('running', 'done', 'failed', 'nothing')),
    work_id       text,
    started_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    rows_read     bigint NOT NULL DEFAULT 0,
    rows_loaded   bigint NOT NULL DEFAULT 0,
    rows_updated  bigint NOT NULL DEFAULT 0,
    rows_repeated bigint NOT NULL DEFAULT 0,
    rows_rejected bigint NOT NULL DEFAULT 0,
    summary       jsonb
);
COMMENT ON TABLE  ops.run               IS 'One row a run of a command that changes the warehouse.';
COMMENT ON COLUMN ops.run.run_id        IS 'Run number; facts carry it as load_id.';
COMMENT ON COLUMN ops.run.command       IS 'Command that ran, without its options.';
COMMENT ON COLUMN ops.run.status        IS 'running, done, failed, or nothing (all files were already in the ledger).';
COMMENT ON COLUMN ops.run.work_id       IS 'Identity of the work: hash of file contents, contract version and plan. Equal work is never done twice.';
COMMENT ON COLUMN ops.run.started_at    IS 'When the run began.';
COMMENT ON COLUMN ops.run.finished_at   IS 'When the run ended; NULL while it runs or if it was killed.';
COMMENT ON COLUMN ops.run.rows_read     IS 'Rows read from all files.';
COMMENT ON COLUMN ops.run.rows_loaded   IS 'Rows new to the warehouse.';
COMMENT ON COLUMN ops.run.rows_updated  IS 'Rows that replaced an older version.';
COMMENT ON COLUMN ops.run.rows_repeated IS 'Rows that the warehouse already had, in this or a newer version.';
COMMENT ON COLUMN ops.run.rows_rejected IS 'Rows in quarantine.';
COMMENT ON COLUMN ops.run.summary       IS 'The summary as printed by --json.';

CREATE TABLE ops.step (
    run_id  bigint   NOT NULL REFERENCES ops.run,
    step    smallint NOT NULL CHECK (step BETWEEN 1 AND 9),
    name    text     NOT NULL,
    seconds double precision NOT NULL,
    PRIMARY KEY (run_id, step)
);
COMMENT ON TABLE  ops.step         IS 'Duration of each numbered step of a run.';
COMMENT ON COLUMN ops.step.run_id  IS 'Run.';
COMMENT ON COLUMN ops.step.step    IS 'Number of the step, 1 to 9, as in docs/architecture.md.';
COMMENT ON COLUMN ops.step.name    IS 'Name of the step.';
COMMENT ON COLUMN ops.step.seconds IS 'Wall time in seconds.';

CREATE TABLE ops.file (
    file_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    content_hash  text   NOT NULL,
    feed          text   NOT NULL,
    contract      text   NOT NULL,
    file_name     text   NOT NULL,
    size_bytes    bigint NOT NULL,
    run_id        bigint NOT NULL REFERENCES ops.run,
    rows_read     bigint NOT NULL,
    rows_loaded   bigint NOT NULL,
    rows_updated  bigint NOT NULL,
    rows_repeated bigint NOT NULL,
    rows_rejected bigint NOT NULL,
    closed_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (content_hash, feed, contract),
    CHECK (rows_read = rows_loaded + rows_updated + rows_repeated + rows_rejected)
);
COMMENT ON TABLE  ops.file               IS 'One row a file that was loaded and accounted for. A file is known by its content, never by its path.';
COMMENT ON COLUMN ops.file.file_id       IS 'Surrogate of the file.';
COMMENT ON COLUMN ops.file.content_hash  IS 'SHA-256 of the bytes.';
COMMENT ON COLUMN ops.file.feed          IS 'Feed the file belongs to.';
COMMENT ON COLUMN ops.file.contract      IS 'Version of contract and mapping it was read with.';
COMMENT ON COLUMN ops.file.file_name     IS 'Name when it was loaded, without its folder.';
COMMENT ON COLUMN ops.file.size_bytes    IS 'Size in bytes.';
COMMENT ON COLUMN ops.file.run_id        IS 'Run that closed the file.';
COMMENT ON COLUMN ops.file.rows_read     IS 'Rows read.';
COMMENT ON COLUMN ops.file.rows_loaded   IS 'Rows new to the warehouse.';
COMMENT ON COLUMN ops.file.rows_updated  IS 'Rows that replaced an older version.';
COMMENT ON COLUMN ops.file.rows_repeated IS 'Rows that the warehouse already had, in this or a newer version.';
COMMENT ON COLUMN ops.file.rows_rejected IS 'Rows in quarantine.';
COMMENT ON COLUMN ops.file.closed_at     IS 'When the file was accounted for.';

CREATE TABLE ops.leaf (
    work_id          text   NOT NULL,
    leaf             text   NOT NULL,
    state            text   NOT NULL CHECK (state IN ('built', 'merged', 'dimensions', 'labels')),
    run_id           bigint NOT NULL REFERENCES ops.run,
    row_count        bigint NOT NULL,
    amount_minor     numeric NOT NULL,
    commission_minor numeric NOT NULL,
    cells            bigint NOT NULL,
    outcomes         jsonb,
    recorded_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_id, leaf)
);
COMMENT ON TABLE  ops.leaf                  IS 'Written in the transaction that writes the rows: what a piece of work put into a leaf.';
COMMENT ON COLUMN ops.leaf.work_id          IS 'Identity of the work.';
COMMENT ON COLUMN ops.leaf.leaf             IS 'Leaf of fact_transactions; or merge, dimensions, labels for what a piece of work did in one transaction outside new leaves.';
COMMENT ON COLUMN ops.leaf.state            IS 'built: a whole new leaf; merged: rows went into existing leaves; dimensions, labels: those were brought up to date.';
COMMENT ON COLUMN ops.leaf.run_id           IS 'Run.';
COMMENT ON COLUMN ops.leaf.row_count        IS 'Rows written.';
COMMENT ON COLUMN ops.leaf.amount_minor     IS 'Sum of amount_minor over those rows, read back from PostgreSQL; a control total over all currencies.';
COMMENT ON COLUMN ops.leaf.commission_minor IS 'Sum of commission_minor, read back likewise.';
COMMENT ON COLUMN ops.leaf.cells            IS 'Cells of the daily summary written with it.';
COMMENT ON COLUMN ops.leaf.outcomes         IS 'What became of rows, file by file, where that cannot be derived again after a restart.';
COMMENT ON COLUMN ops.leaf.recorded_at      IS 'When the transaction began.';

CREATE TABLE ops.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id        bigint NOT NULL REFERENCES ops.run,
    content_hash  text   NOT NULL,
    file_name     text   NOT NULL,
    feed          text   NOT NULL,
    row_number    bigint NOT NULL,
    reasons       text[] NOT NULL CHECK (cardinality(reasons) > 0),
    payload       bytea  NOT NULL,
    client_ref    bytea,
    state         text   NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved', 'purged')),
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (content_hash, feed, row_number)
);
COMMENT ON TABLE  ops.quarantine               IS 'Rows that failed their contract, whole, with every reason.';
COMMENT ON COLUMN ops.quarantine.quarantine_id IS 'Surrogate.';
COMMENT ON COLUMN ops.quarantine.run_id        IS 'Run that refused the row.';
COMMENT ON COLUMN ops.quarantine.content_hash  IS 'SHA-256 of the file.';
COMMENT ON COLUMN ops.quarantine.file_name     IS 'Name of the file, without its folder.';
COMMENT ON COLUMN ops.quarantine.feed          IS 'Feed.';
COMMENT ON COLUMN ops.quarantine.row_number    IS 'Number of the data row in the file, from 1; the header is not counted.';
COMMENT ON COLUMN ops.quarantine.reasons       IS 'Every rule that the row failed; docs/feeds.md explains each.';
COMMENT ON COLUMN ops.quarantine.payload       IS 'The raw values by heading, as JSON, encrypted with the vault key: they may identify a person.';
COMMENT ON COLUMN ops.quarantine.client_ref    IS 'Pseudonym of the client where the row names one, so that erasure finds the row.';
COMMENT ON COLUMN ops.quarantine.state         IS 'open, resolved by a replay, or purged by an erasure.';
COMMENT ON COLUMN ops.quarantine.recorded_at   IS 'When the row was refused.';

CREATE TABLE ops.dirty_range (
    date_key    integer NOT NULL,
    client_key  integer NOT NULL,
    service_key smallint NOT NULL,
    run_id      bigint NOT NULL REFERENCES ops.run,
    PRIMARY KEY (date_key, client_key, service_key)
);
COMMENT ON TABLE  ops.dirty_range             IS 'Cells of the daily summary whose facts changed and which step 8 has yet to recompute.';
COMMENT ON COLUMN ops.dirty_range.date_key    IS 'Day.';
COMMENT ON COLUMN ops.dirty_range.client_key  IS 'Client version.';
COMMENT ON COLUMN ops.dirty_range.service_key IS 'Service.';
COMMENT ON COLUMN ops.dirty_range.run_id      IS 'Run that changed the facts.';
