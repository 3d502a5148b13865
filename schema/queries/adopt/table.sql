-- What kind of thing a name is, whether it is a partition, and its full name.
SELECT c.relkind::text, c.relispartition, n.nspname, c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%s)
