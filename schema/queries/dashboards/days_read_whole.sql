-- Days of the staged transactions, if these are more than a tenth of all that the days have.
WITH staged AS (SELECT date_key, count(*) AS transactions FROM case_id GROUP BY date_key)
SELECT array_agg(date_key)
FROM staged
HAVING sum(transactions) > 0.1 * (SELECT sum(t.transactions) FROM ops.day_total t JOIN staged USING (date_key))
