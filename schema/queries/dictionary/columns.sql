-- Every column of every table and view of the warehouse, with the comments on it, its relation and its schema. Leaves are left out.
SELECT n.nspname                                    AS schema,
       obj_description(n.oid, 'pg_namespace')       AS schema_comment,
       c.relname                                    AS relation,
       CASE WHEN c.relkind = 'm' THEN 'materialized view'
            WHEN c.relkind = 'v' THEN 'view'
            WHEN c.relkind = 'p' THEN 'partitioned table'
            WHEN c.relkind = 'r' THEN 'table' END   AS kind,
       obj_description(c.oid, 'pg_class')           AS relation_comment,
       a.attname                                    AS name,
       format_type(a.atttypid, a.atttypmod)         AS type,
       NOT a.attnotnull                             AS nullable,
       col_description(c.oid, a.attnum)             AS comment
FROM pg_namespace n
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('dwh', 'dwh_parts', 'staging', 'ml', 'vault', 'audit', 'ops')
ORDER BY array_position(ARRAY['dwh', 'ml', 'vault', 'audit', 'ops', 'staging', 'dwh_parts']::name[], n.nspname),
         c.relname COLLATE "C", a.attnum;
