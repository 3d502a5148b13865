-- Transactions of each day, as the totals of days have them.
SELECT date_key, sum(transactions)::bigint AS transactions FROM ops.day_total GROUP BY date_key ORDER BY date_key
