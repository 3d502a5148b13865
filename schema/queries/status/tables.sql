-- Members of the dimensions, by the planner's count.
SELECT c.relname AS table_name, greatest(c.reltuples, 0)::bigint AS rows
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'dwh' AND c.relkind = 'r' AND c.relname LIKE 'dim%'
ORDER BY c.relname
