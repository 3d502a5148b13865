-- The run up to which a model's transactions were scored, or before which they were learned from.
SELECT max(coalesce((summary ->> 'after_run')::bigint, run_id))
FROM ops.run
WHERE status = 'done'
  AND ((command = 'fraud train' AND summary ->> 'model_version' = %(version)s)
       OR (command = 'fraud score' AND summary ->> 'scope' = 'new'))
