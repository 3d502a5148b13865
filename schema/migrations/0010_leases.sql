-- Who holds the writer lock for a run, and until when it is known to live.
ALTER TABLE ops.run
    ADD COLUMN lock_pid    integer,
    ADD COLUMN lease_until timestamptz,
    DROP CONSTRAINT run_status_check,
    ADD CONSTRAINT run_status_check CHECK (status IN ('running', 'done', 'failed', 'stopped', 'nothing'));

COMMENT ON COLUMN ops.run.lock_pid    IS 'Server process that holds the writer lock for the run. When it is gone, so is the right to write.';
COMMENT ON COLUMN ops.run.lease_until IS 'The run renews this while it lives. Past, and still running: it was killed, or hangs.';
COMMENT ON COLUMN ops.run.status      IS 'running, done, failed, stopped (by a signal), or nothing (all files were already in the ledger).';
