-- Does a leaf have scores of other days than these?
SELECT EXISTS (SELECT FROM {leaf} WHERE date_key <> ALL (%(days)s::integer[]))
