-- How many open rows are chosen, and how many of them cannot be replayed.
SELECT count(*) AS rows, count(*) FILTER (WHERE q.form_id IS NULL) AS without_form
FROM ({chosen}) AS q
