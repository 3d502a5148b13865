-- Segmentations that have a stale day within the twelve months before them.
INSERT INTO ops.stale_segmentation (as_of)
SELECT a.as_of
FROM unnest(%s::date[]) AS a (as_of)
WHERE EXISTS (SELECT
              FROM ops.stale_day d
              WHERE d.facts AND d.date_key < to_char(a.as_of, 'YYYYMMDD')::integer
                AND d.date_key >= to_char(a.as_of - interval '12 months', 'YYYYMMDD')::integer)
ON CONFLICT DO NOTHING
