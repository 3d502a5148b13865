-- Columns of a table in its order: name, type with its modifier and without, whether NULL is refused, whether there is a default, collation, how it is generated.
SELECT a.attname, format_type(a.atttypid, a.atttypmod), format_type(a.atttypid, NULL), a.attnotnull, a.atthasdef,
       CASE WHEN a.attcollation <> 0 THEN a.attcollation::regcollation::text ELSE '' END,
       a.attgenerated::text, a.attidentity::text
FROM pg_attribute a
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
