-- Leaves of the facts, whatever their names and bounds.
SELECT n.nspname, c.relname
FROM pg_partition_tree('dwh.fact_transactions') t
JOIN pg_class c ON c.oid = t.relid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_inherits i ON i.inhrelid = t.relid
WHERE t.isleaf AND NOT i.inhdetachpending
ORDER BY 1, 2
