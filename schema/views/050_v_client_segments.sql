-- Segments of clients by day, with names and actions in place of numbers.
CREATE OR REPLACE VIEW dwh.v_client_segments WITH (security_invoker = true) AS
SELECT s.as_of,
       c.client_code,
       c.country_code,
       s.segment,
       n.name    AS segment_name,
       n.name_fr AS segment_name_fr,
       n.action,
       n.action_fr,
       s.recency,
       s.frequency,
       s.monetary,
       s.r_score,
       s.f_score,
       s.m_score,
       q.name    AS quintile_segment_name,
       1 - s.alive_probability AS churn_risk,
       s.expected_revenue,
       m.document -> 'rates' ->> 'reporting' AS currency_code,
       p.segment AS previous_segment,
       s.as_of = (SELECT max(as_of) FROM ml.client_segment) AS is_newest,
       s.model_version
FROM ml.client_segment s
JOIN ml.segment n ON n.segment = s.segment
JOIN ml.segment q ON q.segment = s.quintile_segment
JOIN ml.segment_model m ON m.model_version = s.model_version
JOIN dwh.dim_client c ON c.client_ref = s.client_ref AND c.client_key = c.durable_key
LEFT JOIN LATERAL (
    SELECT segment FROM ml.client_segment b WHERE b.client_ref = s.client_ref AND b.as_of < s.as_of ORDER BY b.as_of DESC LIMIT 1
) p ON true;
COMMENT ON VIEW dwh.v_client_segments IS 'One row a client and day of segmentation, with names, actions, risk of churn, expected commission, and the segment before.';
