-- What the segmentation of a day wrote, client by client.
SELECT client_ref, recency, frequency, monetary::text, r_score, f_score, m_score, segment, quintile_segment,
       alive_probability, expected_revenue, model_version, load_id
FROM ml.client_segment
WHERE as_of = %s
ORDER BY client_ref
