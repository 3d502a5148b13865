-- All that PostgreSQL's catalogs say of the named parents, of their leaves, and of tables in dwh_parts and staging without a parent.
WITH parent AS (
    SELECT c.oid, wanted.schema || '.' || wanted.relation AS name
    FROM unnest(%(schemas)s::text[], %(tables)s::text[]) AS wanted(schema, relation)
    JOIN pg_namespace n ON n.nspname = wanted.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.relation
), found AS (
    SELECT 'parent' AS role, name AS table_name, oid, false AS detaching FROM parent
    UNION ALL
    SELECT 'leaf', parent.name, i.inhrelid, i.inhdetachpending FROM pg_inherits i JOIN parent ON parent.oid = i.inhparent
    UNION ALL
    SELECT 'loose', NULL, c.oid, false
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('dwh_parts', 'staging') AND c.relkind = 'r' AND NOT c.relispartition
), indexed AS (
    SELECT i.indrelid, jsonb_agg(jsonb_build_array(
               x.relname,
               (SELECT jsonb_agg(coalesce(a.attname, pg_get_indexdef(i.indexrelid, k.place::int, true)) ORDER BY k.place)
                FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
                WHERE k.place <= i.indnkeyatts),
               i.indisunique,
               i.indisvalid AND i.indisready,
               i.indpred IS NOT NULL
           ) ORDER BY x.relname) AS indexes
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid IN (SELECT oid FROM found)
    GROUP BY i.indrelid
), granted AS (
    SELECT g.oid, array_agg(DISTINCT CASE g.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(g.grantee) END) AS roles
    FROM (
        SELECT c.oid, acl.grantee, c.relowner FROM pg_class c, aclexplode(c.relacl) AS acl WHERE c.relacl IS NOT NULL
        UNION ALL
        SELECT c.oid, acl.grantee, c.relowner
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid, aclexplode(a.attacl) AS acl
        WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    ) AS g
    WHERE g.grantee <> g.relowner AND g.oid IN (SELECT oid FROM found)
    GROUP BY g.oid
), measured AS (
    SELECT c.oid, c.reltuples, c.relpages,
           CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) / current_setting('block_size')::int ELSE 0 END AS pages,
           -- PostgreSQL 18 counts frozen pages; before it, pages that all may see come closest.
           coalesce((to_jsonb(c) ->> 'relallfrozen')::int, c.relallvisible) AS frozen_pages,
           -- A leaf that was filled and analysed in one transaction still counts all of its rows as changed since.
           CASE WHEN pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid) = 0
                 AND pg_stat_get_mod_since_analyze(c.oid) = pg_stat_get_tuples_inserted(c.oid)
                 AND abs(pg_stat_get_tuples_inserted(c.oid) - c.reltuples) <= 0.1 * c.reltuples THEN 0
                ELSE pg_stat_get_mod_since_analyze(c.oid) END AS changed,
           pg_stat_get_last_vacuum_time(c.oid) IS NOT NULL AND pg_stat_get_ins_since_vacuum(c.oid) = 0 AS vacuumed
    FROM pg_class c
    WHERE c.oid IN (SELECT oid FROM found)
)
SELECT f.role, f.table_name, n.nspname, c.relname, c.relkind::text, pg_get_partkeydef(c.oid),
       (SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, NULL)) ORDER BY a.attname)
        FROM pg_attribute a WHERE f.role <> 'leaf' AND a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
       (SELECT jsonb_agg(pg_get_constraintdef(k.oid) ORDER BY k.conname)
        FROM pg_constraint k WHERE f.role = 'loose' AND k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated),
       pg_get_expr(c.relpartbound, c.oid),
       coalesce(pg_total_relation_size(c.oid), 0),
       CASE WHEN c.relkind <> 'r' THEN m.reltuples
            WHEN m.pages = 0 THEN 0
            WHEN m.reltuples < 0 OR m.relpages = 0 THEN -1
            ELSE m.reltuples / m.relpages * m.pages END::bigint,
       m.changed,
       m.reltuples >= 0 AND (c.relkind <> 'r' OR m.pages = 0 OR EXISTS (
           SELECT FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname)),
       -- COPY makes 64 pages at once and leaves the last of them without rows; no vacuum ever counts those as frozen.
       -- And a few late rows are no reason to read a closed leaf whole, night after night.
       m.frozen_pages >= m.pages
           OR (m.frozen_pages > 0 AND m.changed <= 50 + 0.1 * m.reltuples
               AND m.pages - m.frozen_pages <= CASE WHEN m.vacuumed THEN 0.5 * m.pages ELSE 64 + 0.1 * m.pages END),
       CASE WHEN c.relkind = 'r' THEN age(c.relfrozenxid) ELSE 0 END,
       x.indexes, g.roles, f.detaching,
       (SELECT max(h.until) FROM ops.leaf_hold h
        WHERE h.leaf = c.relname AND h.table_name = coalesce(f.table_name, h.table_name)),
       -- The ledger names a leaf of the facts; that of the summary is built with it.
       n.nspname = 'staging' AND EXISTS (
           SELECT FROM ops.leaf l
           WHERE l.state = 'built' AND l.leaf = regexp_replace(c.relname, '^fact_daily_client_summary_', 'fact_transactions_')
             AND NOT EXISTS (SELECT FROM ops.run r WHERE r.work_id = l.work_id AND r.status = 'done')),
       -- What partitions/changes.py makes while leaves are replaced.
       f.role = 'parent' AND (
           to_regproc('staging.' || quote_ident(c.relname || '_capture')) IS NOT NULL
           OR to_regclass('staging.' || quote_ident(c.relname || '_changes')) IS NOT NULL
           OR to_regclass('staging.' || quote_ident(c.relname || '_aside')) IS NOT NULL),
       f.role = 'leaf' AND EXISTS (
           SELECT FROM ops.leaf_change h
           WHERE h.action = 'adopt' AND h.table_name = f.table_name AND h.leaves_before = ARRAY[h.table_name]
             AND n.nspname || '.' || c.relname = ANY (h.leaves_after))
FROM found f
JOIN pg_class c ON c.oid = f.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN measured m ON m.oid = f.oid
LEFT JOIN indexed x ON x.indrelid = f.oid
LEFT JOIN granted g ON g.oid = f.oid
