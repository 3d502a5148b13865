-- All segmentations that there are or were.
INSERT INTO ops.stale_segmentation (as_of)
SELECT unnest(%s::date[])
UNION
SELECT as_of FROM dwh.segment_day
UNION
SELECT to_as_of FROM dwh.segment_move
ON CONFLICT DO NOTHING
