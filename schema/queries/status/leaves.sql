-- Leaves of the partitioned tables, with their size and the planner's count of rows.
SELECT p.relname AS table_name, count(*) AS leaves, right(min(c.relname), 7) AS first, right(max(c.relname), 7) AS last,
       sum(greatest(c.reltuples, 0))::bigint AS rows, sum(pg_total_relation_size(c.oid))::bigint AS bytes
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind = 'r'
JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
GROUP BY p.relname
ORDER BY p.relname
