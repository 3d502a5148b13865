-- The run up to which transactions were scored, or before which a model was trained first: what came later is new.
SELECT greatest(max(run_id) FILTER (WHERE command = 'fraud score' AND summary ->> 'scope' = 'new'),
                min((summary ->> 'after_run')::bigint) FILTER (WHERE command = 'fraud train' AND summary ->> 'model_version' = %(version)s))
FROM ops.run
WHERE status = 'done' AND command IN ('fraud score', 'fraud train')
