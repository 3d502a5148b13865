-- Views of the dashboards: when each was refreshed, and whether what it rests on may have changed since.
SELECT view_name, refreshed_at, is_stale, rests_on FROM dwh.v_freshness ORDER BY view_name
