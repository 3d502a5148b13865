-- The leaf stands and is archived in another file now. What was dropped stays: rows of its own may be in it.
UPDATE ops.archive SET state = 'superseded', changed_at = now()
WHERE table_name = %s AND leaf = %s AND file_name <> %s AND state IN ('archived', 'restored')
