-- Refused rows can be replayed: how their file was read is kept, and what became of them. Runs can be refused by a gate.
ALTER TABLE ops.run
    DROP CONSTRAINT run_status_check,
    ADD CONSTRAINT run_status_check CHECK (status IN ('running', 'done', 'failed', 'stopped', 'nothing', 'refused'));
COMMENT ON COLUMN ops.run.status        IS 'running, done, failed, stopped (by a signal), refused (by a gate: nothing was published), or nothing (all files were already in the ledger).';
COMMENT ON COLUMN ops.run.rows_rejected IS 'Rows in quarantine; of a refused run, rows that failed their contract.';
COMMENT ON COLUMN ops.file.rows_loaded   IS 'Rows new to the warehouse, those that came by a replay included.';
COMMENT ON COLUMN ops.file.rows_updated  IS 'Rows that replaced an older version, likewise.';
COMMENT ON COLUMN ops.file.rows_repeated IS 'Rows that the warehouse already had, in this or a newer version, likewise.';
COMMENT ON COLUMN ops.file.rows_rejected IS 'Rows refused and not replayed since.';

CREATE TABLE ops.form (
    form_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    feed    text  NOT NULL,
    digest  text  NOT NULL,
    form    jsonb NOT NULL,
    UNIQUE (feed, digest)
);
COMMENT ON TABLE  ops.form         IS 'How the rows of a file are written and read, one row a different way: what a replay needs to read a refused row again.';
COMMENT ON COLUMN ops.form.form_id IS 'Surrogate.';
COMMENT ON COLUMN ops.form.feed    IS 'Feed.';
COMMENT ON COLUMN ops.form.digest  IS 'SHA-256 of the form.';
COMMENT ON COLUMN ops.form.form    IS 'Headings, delimiter, decimal mark, types of a table''s columns, time zone, and the mapping to canonical columns.';

ALTER TABLE ops.quarantine
    ADD COLUMN contract        text,
    ADD COLUMN form_id         bigint REFERENCES ops.form,
    ADD COLUMN attempts        integer NOT NULL DEFAULT 0,
    ADD COLUMN last_run_id     bigint REFERENCES ops.run,
    ADD COLUMN correction      bytea,
    ADD COLUMN correction_ref  bytea,
    ADD COLUMN resolved_run_id bigint REFERENCES ops.run,
    ADD COLUMN resolved_at     timestamptz;
UPDATE ops.quarantine q SET contract = f.contract
FROM ops.file f
WHERE f.content_hash = q.content_hash AND f.feed = q.feed AND f.run_id = q.run_id;
UPDATE ops.quarantine SET contract = '' WHERE contract IS NULL;
-- The same file under another mapping is another file, and its refused rows are other rows.
ALTER TABLE ops.quarantine
    ALTER COLUMN contract SET NOT NULL,
    DROP CONSTRAINT quarantine_content_hash_feed_row_number_key,
    ADD CONSTRAINT quarantine_refused_once UNIQUE (content_hash, feed, contract, row_number),
    ADD CONSTRAINT quarantine_resolved CHECK ((state = 'resolved') = (resolved_run_id IS NOT NULL) OR state = 'purged');
CREATE INDEX quarantine_open ON ops.quarantine (feed, file_name, row_number) WHERE state = 'open';
COMMENT ON COLUMN ops.quarantine.contract        IS 'Version of contract and mapping under which it was refused; with content_hash and feed its row of ops.file.';
COMMENT ON COLUMN ops.quarantine.form_id         IS 'How its values are written and read; of a resolved row, as the replay did. NULL: refused by a version that did not keep this.';
COMMENT ON COLUMN ops.quarantine.reasons         IS 'Every rule that the row failed, at the last attempt; docs/feeds.md explains each.';
COMMENT ON COLUMN ops.quarantine.state           IS 'open, resolved (by a replay, or by reading its file again under another mapping), or purged by an erasure.';
COMMENT ON COLUMN ops.quarantine.attempts        IS 'How often it was replayed.';
COMMENT ON COLUMN ops.quarantine.last_run_id     IS 'Run of the last replay.';
COMMENT ON COLUMN ops.quarantine.correction      IS 'The values as a person corrected them, encrypted like payload, which stays as it was; NULL: not corrected.';
COMMENT ON COLUMN ops.quarantine.correction_ref  IS 'Pseudonym of the client that the correction names, so that erasure finds the row.';
COMMENT ON COLUMN ops.quarantine.resolved_run_id IS 'Run that loaded it, or found it in the warehouse.';
COMMENT ON COLUMN ops.quarantine.resolved_at     IS 'When.';
