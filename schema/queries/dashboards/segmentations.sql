-- Days of segmentation, in order.
WITH RECURSIVE found AS (
    SELECT min(as_of) AS as_of FROM ml.client_segment
    UNION ALL
    SELECT (SELECT min(s.as_of) FROM ml.client_segment s WHERE s.as_of > found.as_of) FROM found WHERE found.as_of IS NOT NULL
)
SELECT as_of FROM found WHERE as_of IS NOT NULL ORDER BY as_of
