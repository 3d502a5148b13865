-- A model is kept; fitted again to the same letter, it counts as the newest.
INSERT INTO ml.segment_model (model_version, as_of, sha256, document, quality, load_id)
VALUES (%s, %s, %s, %s::json, %s::json, %s)
ON CONFLICT (model_version) DO UPDATE SET fitted_at = now(), load_id = excluded.load_id
