-- Totals of leaves that are no longer attached, or never will be.
DELETE FROM ops.totalled_leaf l
WHERE NOT EXISTS (SELECT
                  FROM pg_partition_tree('dwh.fact_daily_client_summary') t
                  JOIN pg_class c ON c.oid = t.relid
                  JOIN pg_inherits i ON i.inhrelid = t.relid
                  WHERE t.isleaf AND NOT i.inhdetachpending AND t.relid = l.leaf_oid AND c.relname = l.leaf)
