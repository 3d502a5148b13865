-- Whether a table is attached, about to be detached, or stands alone; no row where there is none.
SELECT CASE WHEN i.inhrelid IS NULL THEN 'loose' WHEN i.inhdetachpending THEN 'detaching' ELSE 'attached' END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE n.nspname = %s AND c.relname = %s
