-- Clients as they are, and as they were on a day.
CREATE OR REPLACE VIEW ops.client_now WITH (security_invoker = true) AS
SELECT client_key, durable_key, country_code, customer_segment, risk_level, valid_from,
       valid_from = max(valid_from) OVER (PARTITION BY durable_key) AS is_newest
FROM dwh.dim_client;
COMMENT ON VIEW ops.client_now IS 'Versions of clients with what dashboards group by; compare ops.seen_client.';
COMMENT ON COLUMN ops.client_now.client_key       IS 'Version.';
COMMENT ON COLUMN ops.client_now.durable_key      IS 'Client.';
COMMENT ON COLUMN ops.client_now.country_code     IS 'Country.';
COMMENT ON COLUMN ops.client_now.customer_segment IS 'Commercial segment.';
COMMENT ON COLUMN ops.client_now.risk_level       IS 'Level of risk.';
COMMENT ON COLUMN ops.client_now.valid_from       IS 'From when the version is true.';
COMMENT ON COLUMN ops.client_now.is_newest        IS 'Whether it is the newest of its client.';

-- The first version covers what came before it.
CREATE OR REPLACE FUNCTION dwh.clients_before(day date)
RETURNS TABLE (durable_key integer, client_ref bytea, country_code text, customer_segment text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT DISTINCT ON (c.durable_key) c.durable_key, c.client_ref, coalesce(c.country_code, 'UNKNOWN'), c.customer_segment
    FROM dwh.dim_client c,
         (SELECT day::timestamp AT TIME ZONE coalesce((SELECT value FROM ops.setting WHERE name = 'business_timezone'), 'UTC') AS moment) m
    ORDER BY c.durable_key, c.valid_from < m.moment DESC, CASE WHEN c.valid_from < m.moment THEN c.valid_from END DESC, c.valid_from
$$;
COMMENT ON FUNCTION dwh.clients_before(date) IS 'One row a client, in the version that was true at the end of the day before this one.';
