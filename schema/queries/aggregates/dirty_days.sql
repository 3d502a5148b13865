-- Days with cells that have to be computed again.
SELECT DISTINCT date_key FROM ops.dirty_range
