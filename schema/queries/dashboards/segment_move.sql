-- Clients by their segments on two successive days.
INSERT INTO {segment_move} (clients, from_as_of, to_as_of, from_segment, to_segment, is_refit, country_code, customer_segment)
SELECT count(*), %(before)s, %(as_of)s, coalesce(b.segment, 0), coalesce(a.segment, 0), m.is_refit, c.country_code, c.customer_segment
FROM (SELECT client_ref, segment FROM ml.client_segment WHERE as_of = %(before)s) b
FULL JOIN (SELECT client_ref, segment FROM ml.client_segment WHERE as_of = %(as_of)s) a USING (client_ref)
JOIN dwh.clients_before(%(as_of)s) c USING (client_ref)
CROSS JOIN (SELECT min(model_version) FILTER (WHERE as_of = %(before)s) <> min(model_version) FILTER (WHERE as_of = %(as_of)s) AS is_refit
            FROM ml.client_segment
            WHERE as_of IN (%(before)s, %(as_of)s)) m
GROUP BY 4, 5, m.is_refit, c.country_code, c.customer_segment
