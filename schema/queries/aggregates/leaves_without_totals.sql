-- Leaves of the daily summary that have not been added up.
SELECT n.nspname, c.relname
FROM pg_partition_tree('dwh.fact_daily_client_summary') t
JOIN pg_class c ON c.oid = t.relid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_inherits i ON i.inhrelid = t.relid
WHERE t.isleaf AND NOT i.inhdetachpending AND t.relid NOT IN (SELECT leaf_oid FROM ops.totalled_leaf)
ORDER BY 1, 2
