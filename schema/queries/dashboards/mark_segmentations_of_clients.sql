-- Segmentations before which the history of a client has become another.
INSERT INTO ops.stale_segmentation (as_of)
SELECT DISTINCT s.as_of
FROM changed_client c
JOIN dwh.dim_client d ON d.client_key = c.durable_key
JOIN ml.client_segment s ON s.client_ref = d.client_ref
WHERE c.is_other_history
  AND (s.as_of >= (c.since AT TIME ZONE 'UTC')::date
       OR NOT EXISTS (SELECT FROM dwh.dim_client e WHERE e.durable_key = c.durable_key AND e.valid_from < c.since))
ON CONFLICT DO NOTHING
