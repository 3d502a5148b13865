-- Facts of a leaf, pointed at the version that is true at their moment.
UPDATE dwh.fact_transactions f
SET client_key = c.new_key
FROM (SELECT DISTINCT date_key, old_key, new_key, begins, ends
      FROM restated_cell
      WHERE date_key >= %(first)s AND date_key < %(end)s) AS c
WHERE f.date_key >= %(first)s AND f.date_key < %(end)s
  AND f.date_key = c.date_key AND f.client_key = c.old_key
  AND f.transaction_ts >= c.begins AND f.transaction_ts < c.ends
