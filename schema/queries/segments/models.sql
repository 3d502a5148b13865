-- Every model, the one to use for a day first among those of that day.
SELECT model_version, as_of, sha256, document::text, quality FROM ml.segment_model ORDER BY as_of DESC, fitted_at DESC
