-- Rows of days that will be computed again.
DELETE FROM {table} WHERE date_key = ANY (%(days)s::integer[])
