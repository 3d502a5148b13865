-- The last day that the views have.
SELECT max(full_date) AS newest FROM dwh.v_activity_by_day
