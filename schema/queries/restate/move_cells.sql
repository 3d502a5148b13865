-- Cells of days whose facts were archived and dropped cannot be computed again; they go whole to the version at the end of their day.
UPDATE dwh.fact_daily_client_summary s
SET client_key = c.new_key
FROM restated_cell c
WHERE c.date_key <> ALL (%s::integer[])
  AND s.client_key = c.old_key AND s.date_key = c.date_key AND s.service_key = c.service_key
  AND (to_date(c.date_key::text, 'YYYYMMDD') + time '23:59:59') AT TIME ZONE 'UTC' >= c.begins
  AND (to_date(c.date_key::text, 'YYYYMMDD') + time '23:59:59') AT TIME ZONE 'UTC' < c.ends
  AND NOT EXISTS (SELECT
                  FROM dwh.fact_daily_client_summary o
                  WHERE o.client_key = c.new_key AND o.date_key = s.date_key AND o.service_key = s.service_key
                    AND o.currency_key = s.currency_key)
