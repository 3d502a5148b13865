-- Rights on a table and on its columns, the owner's apart: privilege, column or NULL, role (NULL: everyone), may pass it on.
SELECT a.privilege_type, NULL AS attname, CASE a.grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END, a.is_grantable
FROM pg_class c, aclexplode(c.relacl) AS a
WHERE c.oid = %(table)s::regclass AND a.grantee <> c.relowner
UNION ALL
SELECT a.privilege_type, t.attname, CASE a.grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END, a.is_grantable
FROM pg_class c
JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped, aclexplode(t.attacl) AS a
WHERE c.oid = %(table)s::regclass AND a.grantee <> c.relowner
