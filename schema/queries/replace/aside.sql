-- What stands in staging for a change of leaves: the two tables named, and the leaves that hang on the first.
SELECT c.oid::regclass::text
FROM pg_class c
WHERE c.oid IN (to_regclass(%s), to_regclass(%s))
ORDER BY 1
