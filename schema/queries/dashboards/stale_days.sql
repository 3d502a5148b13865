-- Days that have to be computed again, by month; those of which all has to be.
SELECT date_key / 100 AS month, facts, array_agg(date_key ORDER BY date_key) FROM ops.stale_day GROUP BY 1, 2 ORDER BY 1, 2
