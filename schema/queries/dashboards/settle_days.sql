-- Days that were computed again.
DELETE FROM ops.stale_day WHERE date_key = ANY (%(days)s::integer[])
