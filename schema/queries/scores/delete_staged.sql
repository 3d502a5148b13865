-- Scores that newer ones replace, in the leaf of some days.
DELETE FROM {table} s
USING incoming_score i
WHERE s.date_key = ANY (%(days)s::integer[]) AND i.date_key = ANY (%(days)s::integer[])
  AND s.date_key = i.date_key AND s.transaction_id = i.transaction_id
