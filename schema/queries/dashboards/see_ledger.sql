-- Runs up to which the ledger has been taken into account.
UPDATE ops.view_source SET version = coalesce((SELECT max(run_id) FROM ops.run), 0) WHERE source IN ('labels', 'dimensions', 'segments')
