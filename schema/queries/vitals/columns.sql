-- Columns of the tables that a load writes.
SELECT n.nspname || '.' || c.relname AS table_name, a.attname AS column_name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('dwh', 'vault', 'ml')
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY 1, a.attnum
