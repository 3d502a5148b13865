-- The days of which there are segments, the newest first.
SELECT as_of, count(*), min(model_version) FROM ml.client_segment GROUP BY as_of ORDER BY as_of DESC
