-- Bounds, schema and name of the leaves attached to a parent.
SELECT pg_get_expr(c.relpartbound, c.oid), c.relnamespace::regnamespace::text, c.relname
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass
ORDER BY c.relname
