-- When each view was refreshed, and which ones are stale.
SELECT view_name, refreshed_at, is_stale FROM dwh.v_freshness ORDER BY view_name
