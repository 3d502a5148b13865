-- Segmentations that were written since.
INSERT INTO ops.stale_segmentation (as_of)
SELECT DISTINCT substring(leaf FROM 'segments (.*)')::date
FROM ops.leaf
WHERE state = 'segments' AND run_id > (SELECT version FROM ops.view_source WHERE source = 'segments')
ON CONFLICT DO NOTHING
