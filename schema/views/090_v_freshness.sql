-- How fresh each view of the dashboards is: what it was built on, against what that has come to since.
CREATE OR REPLACE VIEW dwh.v_freshness WITH (security_invoker = true) AS
WITH listed (view_name, sources, rests_on) AS (
    VALUES
    ('mv_daily_kpi',              ARRAY['totals', 'names'],                    'ops.day_total'),
    ('mv_activity_rollup',        ARRAY['days', 'cases', 'names'],             'dwh.activity_day, dwh.fraud_case'),
    ('v_activity_by_day',         ARRAY['days', 'cases', 'names'],             'dwh.mv_activity_rollup'),
    ('v_fraud_by_day',            ARRAY['days', 'cases', 'names'],             'dwh.mv_activity_rollup'),
    ('mv_monthly_active_clients', ARRAY['days', 'clients', 'names'],           'dwh.active_month'),
    ('mv_service_by_day',         ARRAY['days', 'names'],                      'dwh.activity_day, dwh.processing_day'),
    ('mv_fraud_heat_map',         ARRAY['days', 'cases'],                      'dwh.activity_hour, dwh.fraud_case'),
    ('mv_amount_saved',           ARRAY['cases', 'names'],                     'dwh.fraud_case'),
    ('mv_clients_at_risk',        ARRAY['days', 'cases', 'clients'],           'dwh.fraud_case, dwh.fact_daily_client_summary, dwh.dim_client'),
    ('mv_rfm_distribution',       ARRAY['segmentations', 'words'],             'dwh.segment_day'),
    ('mv_lifetime_value',         ARRAY['segmentations', 'words'],             'dwh.segment_day'),
    ('mv_churn_risk',             ARRAY['segmentations', 'words'],             'dwh.segment_day'),
    ('mv_segment_migration',      ARRAY['segmentations', 'words'],             'dwh.segment_move')
), source (name, state) AS (
    SELECT s.source, s.version::text FROM ops.view_source s WHERE s.source IN ('days', 'cases', 'clients', 'segmentations')
    UNION ALL
    SELECT 'names', md5(string_agg(concat_ws(' ', service_key, service_name, category), '|' ORDER BY service_key)) FROM dwh.dim_service
    UNION ALL
    SELECT 'words', md5(string_agg(concat_ws(' ', segment, name, name_fr), '|' ORDER BY segment)) FROM ml.segment
), reached (name, run_id) AS (
    SELECT l.state, max(l.run_id) FROM ops.leaf l WHERE l.state IN ('labels', 'dimensions', 'segments') GROUP BY l.state
), changed (name) AS (
    SELECT r.name FROM reached r JOIN ops.view_source s ON s.source = r.name WHERE r.run_id > s.version
), marks AS (
    SELECT EXISTS (SELECT FROM ops.dirty_range) AS cells,
           EXISTS (SELECT FROM ops.stale_day WHERE facts) AS days,
           EXISTS (SELECT FROM ops.stale_day) AS cases,
           EXISTS (SELECT FROM ops.stale_segmentation) AS segmentations,
           EXISTS (SELECT FROM ops.attached_leaf a WHERE a.facts AND NOT a.seems_empty AND a.leaf_oid NOT IN (SELECT leaf_oid FROM ops.seen_leaf))
           OR EXISTS (SELECT FROM ops.seen_leaf s WHERE s.facts AND s.leaf_oid NOT IN (SELECT leaf_oid FROM ops.attached_leaf)) AS fact_leaves,
           EXISTS (SELECT FROM ops.attached_leaf a WHERE NOT a.seems_empty AND a.leaf_oid NOT IN (SELECT leaf_oid FROM ops.seen_leaf))
           OR EXISTS (SELECT FROM ops.seen_leaf s WHERE s.leaf_oid NOT IN (SELECT leaf_oid FROM ops.attached_leaf)) AS leaves,
           EXISTS (SELECT FROM changed WHERE name = 'labels') AS labels,
           EXISTS (SELECT FROM changed WHERE name = 'dimensions') AS dimensions,
           EXISTS (SELECT FROM changed WHERE name = 'segments') AS segments,
           EXISTS (SELECT FROM ml.segment_model) AS any_segments
), waiting (name) AS (
    SELECT 'totals'        FROM marks WHERE cells
    UNION ALL
    SELECT 'days'          FROM marks WHERE cells OR days OR fact_leaves OR dimensions
    UNION ALL
    SELECT 'cases'         FROM marks WHERE cells OR cases OR leaves OR dimensions OR labels
    UNION ALL
    SELECT 'clients'       FROM marks WHERE dimensions
    UNION ALL
    SELECT 'segmentations' FROM marks WHERE segments OR segmentations OR (any_segments AND (cells OR days OR fact_leaves OR dimensions))
), now_at AS (
    SELECT l.view_name, string_agg(s.name || ' ' || coalesce(s.state, '-'), ', ' ORDER BY s.name) AS state
    FROM listed l
    JOIN source s ON s.name = ANY (l.sources)
    GROUP BY l.view_name
)
SELECT l.view_name,
       r.refreshed_at,
       r.built_on IS DISTINCT FROM n.state OR EXISTS (SELECT FROM waiting w WHERE w.name = ANY (l.sources)) AS is_stale,
       l.rests_on,
       r.seconds,
       n.state
FROM listed l
JOIN now_at n USING (view_name)
LEFT JOIN ops.view_refresh r USING (view_name);
COMMENT ON VIEW dwh.v_freshness IS 'One row a view of the dashboards: when it was refreshed, and whether what it rests on may have changed since.';
COMMENT ON COLUMN dwh.v_freshness.view_name    IS 'View of dwh.';
COMMENT ON COLUMN dwh.v_freshness.refreshed_at IS 'When it was refreshed last; NULL: never.';
COMMENT ON COLUMN dwh.v_freshness.is_stale     IS 'Whether what it rests on may have changed since: cauri refresh brings it up to date.';
COMMENT ON COLUMN dwh.v_freshness.rests_on     IS 'Tables it is made of.';
COMMENT ON COLUMN dwh.v_freshness.seconds      IS 'How long its last refresh took.';
COMMENT ON COLUMN dwh.v_freshness.state        IS 'State of its sources, as ops.view_refresh.built_on keeps it.';
