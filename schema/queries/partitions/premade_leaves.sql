-- Bounds of the leaves of a parent that never had rows, and that nothing else hangs on.
SELECT pg_get_expr(c.relpartbound, c.oid), c.relname
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %s::regclass AND NOT i.inhdetachpending
  AND c.relnamespace = 'dwh_parts'::regnamespace AND c.relkind = 'r' AND pg_relation_size(c.oid) = 0
  AND NOT c.relrowsecurity
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'n')
  AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgparentid = 0)
  AND NOT EXISTS (SELECT FROM pg_publication_rel r WHERE r.prrelid = c.oid)
