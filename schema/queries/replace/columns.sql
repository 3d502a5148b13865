-- Columns of a table in its order: name, type with its modifiers, whether NULL is refused, collation, how it is generated.
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       CASE WHEN a.attcollation <> 0 THEN a.attcollation::regcollation::text ELSE '' END,
       a.attgenerated::text, a.attidentity::text
FROM pg_attribute a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
