-- Views that read a table: name, text and options. With an empty search_path the text names everything with its schema.
SELECT n.nspname, c.relname, pg_get_viewdef(c.oid), array_to_string(c.reloptions, ', ')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND EXISTS (
    SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE r.ev_class = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %s::regclass)
ORDER BY c.oid
