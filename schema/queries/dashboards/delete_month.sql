-- Rows of a month that will be computed again.
DELETE FROM {table} WHERE month = %(month)s
