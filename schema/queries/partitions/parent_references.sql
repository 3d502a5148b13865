-- Foreign keys of a parent: a leaf that has them, validated, is attached without a scan.
SELECT conname, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE conrelid = %s::regclass AND contype = 'f' AND conparentid = 0
  AND (SELECT relkind FROM pg_class WHERE oid = conrelid) = 'p'
ORDER BY conname
