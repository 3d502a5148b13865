-- What an earlier run of the same work has committed.
SELECT leaf, state, row_count, amount_minor, commission_minor, cells, outcomes FROM ops.leaf WHERE work_id = %s
