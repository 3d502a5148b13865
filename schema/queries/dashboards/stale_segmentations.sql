-- Segmentations that have to be computed again.
SELECT as_of FROM ops.stale_segmentation ORDER BY as_of
