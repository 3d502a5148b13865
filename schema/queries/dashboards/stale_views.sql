-- Views that are not built on what their sources have come to; the others need no refresh.
SELECT view_name FROM dwh.v_freshness WHERE is_stale ORDER BY view_name
