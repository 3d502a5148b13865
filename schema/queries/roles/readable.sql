-- What analyst_role may read, where there is such a role: the views v_* and mv_* of dwh, and of what is below them the columns that
-- they read with the rights of whoever asks (security_invoker). Columns are null where all may be read.
WITH RECURSIVE readable AS (
    SELECT c.oid, c.relkind = 'v' AND coalesce(c.reloptions @> ARRAY['security_invoker=true'], false) AS is_invoker
    FROM pg_class c
    WHERE c.relnamespace = 'dwh'::regnamespace
      AND (c.relkind = 'v' AND starts_with(c.relname, 'v_') OR c.relkind = 'm' AND starts_with(c.relname, 'mv_'))
), used AS (
    SELECT d.refobjid AS oid, d.refobjsubid AS number
    FROM readable v
    JOIN pg_rewrite r ON r.ev_class = v.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    WHERE v.is_invoker AND d.refobjid <> v.oid
    UNION
    SELECT d.refobjid, d.refobjsubid
    FROM used u
    JOIN pg_class v ON v.oid = u.oid AND v.relkind = 'v' AND v.reloptions @> ARRAY['security_invoker=true']
    JOIN pg_rewrite r ON r.ev_class = v.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    WHERE d.refobjid <> v.oid
), allowed AS (
    SELECT oid, NULL::text[] AS columns FROM readable
    UNION ALL
    -- Of a table whose rows are only counted or looked for, one column will do.
    SELECT u.oid, array_agg(a.attname::text ORDER BY a.attnum)
    FROM (
        SELECT oid, number FROM used WHERE number > 0
        UNION
        SELECT u.oid, (SELECT min(attnum) FROM pg_attribute WHERE attrelid = u.oid AND attnum > 0 AND NOT attisdropped)
        FROM used u
        GROUP BY u.oid
        HAVING max(u.number) = 0
    ) u
    JOIN pg_attribute a ON a.attrelid = u.oid AND a.attnum = u.number
    GROUP BY u.oid
)
SELECT n.nspname, c.relname, l.columns
FROM allowed l
JOIN pg_class c ON c.oid = l.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'analyst_role')
ORDER BY n.nspname, c.relname, l.columns
