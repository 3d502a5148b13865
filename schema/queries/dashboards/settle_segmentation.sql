-- A segmentation that was computed again.
DELETE FROM ops.stale_segmentation WHERE as_of = %s
