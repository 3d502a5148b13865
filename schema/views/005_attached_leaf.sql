-- The leaves that dashboards rest on.
CREATE OR REPLACE VIEW ops.attached_leaf WITH (security_invoker = true) AS
SELECT c.oid AS leaf_oid,
       coalesce(substring(b.bounds FROM 'FROM \((\d+)\)')::integer, 0)      AS first_key,
       coalesce(substring(b.bounds FROM 'TO \((\d+)\)')::integer, 99991231) AS end_key,
       p.facts,
       c.reltuples = 0 AS seems_empty
FROM (VALUES ('dwh.fact_transactions'::regclass, true), ('dwh.fact_daily_client_summary', true), ('ml.fraud_score', false)) AS p (parent, facts)
CROSS JOIN LATERAL pg_partition_tree(p.parent) t
JOIN pg_class c ON c.oid = t.relid
JOIN pg_inherits i ON i.inhrelid = t.relid
CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds) b
WHERE t.isleaf AND NOT i.inhdetachpending;
COMMENT ON VIEW ops.attached_leaf IS 'Leaves of facts, daily summary and scores that are attached now; compare ops.seen_leaf.';
COMMENT ON COLUMN ops.attached_leaf.leaf_oid    IS 'Leaf.';
COMMENT ON COLUMN ops.attached_leaf.first_key   IS 'First day.';
COMMENT ON COLUMN ops.attached_leaf.end_key     IS 'Day after the last one.';
COMMENT ON COLUMN ops.attached_leaf.facts       IS 'A leaf of facts or of the daily summary; otherwise of scores.';
COMMENT ON COLUMN ops.attached_leaf.seems_empty IS 'It had no row when its statistics were made.';
