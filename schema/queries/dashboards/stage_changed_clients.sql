-- Versions of clients that are not as dashboards know them.
CREATE TEMPORARY TABLE changed_client ON COMMIT DROP AS
SELECT coalesce(n.client_key, o.client_key)   AS client_key,
       coalesce(n.durable_key, o.durable_key) AS durable_key,
       least(n.valid_from, o.valid_from)      AS since,
       (o.country_code, o.customer_segment) IS DISTINCT FROM (n.country_code, n.customer_segment)
       AND o.client_key IS NOT NULL AND n.client_key IS NOT NULL AS is_regrouped,
       (o.client_key, o.country_code, o.customer_segment, o.valid_from)
       IS DISTINCT FROM (n.client_key, n.country_code, n.customer_segment, n.valid_from) AS is_other_history
FROM ops.client_now n
FULL JOIN ops.seen_client o USING (client_key)
WHERE (o.client_key, o.durable_key, o.country_code, o.customer_segment, o.risk_level, o.valid_from, o.is_newest)
      IS DISTINCT FROM (n.client_key, n.durable_key, n.country_code, n.customer_segment, n.risk_level, n.valid_from, n.is_newest)
