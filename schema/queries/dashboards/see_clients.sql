-- Those versions as they are now.
INSERT INTO ops.seen_client (client_key, durable_key, country_code, customer_segment, risk_level, valid_from, is_newest)
SELECT n.client_key, n.durable_key, n.country_code, n.customer_segment, n.risk_level, n.valid_from, n.is_newest
FROM ops.client_now n
JOIN changed_client c USING (client_key)
