-- Cells of the daily summary that may lose facts to another version: it knows on which days a version has any. Facts whose cells
-- are yet to be computed stand in dirty_range. A day of slack on both sides: a day begins where the business zone says so.
INSERT INTO restated_cell
WITH moved AS (
    SELECT r.old_key, r.new_key, r.begins, coalesce(r.ends, 'infinity') AS ends,
           to_char(r.begins AT TIME ZONE 'UTC' - interval '1 day', 'YYYYMMDD')::integer AS first_day,
           coalesce(to_char(r.ends AT TIME ZONE 'UTC' + interval '1 day', 'YYYYMMDD')::integer, 99991231) AS last_day
    FROM ops.restated_range r
    WHERE r.run_id = %s
)
SELECT r.old_key, r.new_key, r.begins, r.ends, s.date_key, s.service_key
FROM moved r
JOIN dwh.fact_daily_client_summary s ON s.client_key = r.old_key AND s.date_key BETWEEN r.first_day AND r.last_day
UNION
SELECT r.old_key, r.new_key, r.begins, r.ends, d.date_key, d.service_key
FROM moved r
JOIN ops.dirty_range d ON d.client_key = r.old_key AND d.date_key BETWEEN r.first_day AND r.last_day
