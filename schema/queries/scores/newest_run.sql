-- The newest run of the ledger.
SELECT coalesce(max(run_id), 0) FROM ops.run
