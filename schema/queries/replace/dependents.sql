-- What hangs on a table and would not outlive it: kind and name.
SELECT CASE v.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'rule of' END, v.oid::regclass::text
FROM pg_depend d
JOIN pg_rewrite r ON r.oid = d.objid
JOIN pg_class v ON v.oid = r.ev_class
WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %(table)s::regclass
UNION
SELECT 'foreign key of', k.conrelid::regclass::text
FROM pg_constraint k
WHERE k.contype = 'f' AND k.confrelid = %(table)s::regclass
UNION
SELECT 'function', d.objid::regprocedure::text
FROM pg_depend d
WHERE d.classid = 'pg_proc'::regclass
  AND ((d.refclassid = 'pg_class'::regclass AND d.refobjid = %(table)s::regclass)
       OR (d.refclassid = 'pg_type'::regclass AND d.refobjid = (SELECT reltype FROM pg_class WHERE oid = %(table)s::regclass)))
UNION
SELECT 'trigger', t.tgname
FROM pg_trigger t
WHERE t.tgrelid = %(table)s::regclass AND NOT t.tgisinternal AND t.tgparentid = 0
UNION
SELECT 'policy', p.polname
FROM pg_policy p
WHERE p.polrelid = %(table)s::regclass
UNION
SELECT 'row security of', c.oid::regclass::text
FROM pg_class c
WHERE c.oid = %(table)s::regclass AND c.relrowsecurity
UNION
SELECT 'publication', p.pubname
FROM pg_publication_rel r
JOIN pg_publication p ON p.oid = r.prpubid
WHERE r.prrelid = %(table)s::regclass
UNION
SELECT 'child table', i.inhrelid::regclass::text
FROM pg_inherits i
WHERE i.inhparent = %(table)s::regclass
ORDER BY 1, 2
