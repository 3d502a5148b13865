-- A view was refreshed.
INSERT INTO ops.view_refresh (view_name, refreshed_at, seconds, built_on)
SELECT view_name, now(), %(seconds)s, state FROM dwh.v_freshness WHERE view_name = %(view)s
ON CONFLICT (view_name) DO UPDATE
SET refreshed_at = excluded.refreshed_at, seconds = excluded.seconds, built_on = excluded.built_on
