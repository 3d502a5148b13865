-- How far the data reaches, and when it was last brought up to date.
SELECT (SELECT max(full_date) FROM dwh.mv_daily_kpi) AS last_day,
       (SELECT sum(transactions)::bigint FROM dwh.mv_daily_kpi) AS transactions,
       (SELECT max(finished_at) FROM ops.run WHERE status = 'done' AND command IN ('load', 'nightly', 'refresh')) AS last_success,
       (SELECT count(*) FROM ops.dirty_range) AS dirty_cells
