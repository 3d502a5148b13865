-- Scores of some days, all of which are written anew.
DELETE FROM {table} WHERE date_key = ANY (%(days)s::integer[])
