-- Indexes and constraints of a parent that each leaf needs before it is attached: columns, what follows USING, or the constraint, and whether the table is partitioned.
SELECT x.relname,
       (SELECT array_agg(coalesce(a.attname, 'expr') ORDER BY k.place)
        FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
        WHERE k.place <= i.indnkeyatts)::text[],
       i.indisunique,
       regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX ("([^"]|"")*"|\S+) ON (ONLY )?\S+ USING ', ''),
       pg_get_constraintdef(k.oid),
       t.relkind = 'p'
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
WHERE i.indrelid = %s::regclass
ORDER BY i.indexrelid
