-- Sums of a segmentation that will be computed again.
DELETE FROM dwh.segment_day WHERE as_of = %s
