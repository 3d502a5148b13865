-- Activity and fraud by day are rows of dwh.mv_activity_rollup, which has their totals too.
DROP MATERIALIZED VIEW IF EXISTS dwh.mv_activity_by_day, dwh.mv_fraud_by_day CASCADE;
DELETE FROM ops.view_refresh WHERE view_name IN ('mv_activity_by_day', 'mv_fraud_by_day');
