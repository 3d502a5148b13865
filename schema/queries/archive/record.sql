-- A leaf was archived and its file was read back. A file of the same content is the same archive, written again.
INSERT INTO ops.archive (table_name, leaf, first_day, end_day, columns, row_count, sums, digest, file_name, file_sha256,
                         size_bytes, versions, archived_at, state)
VALUES (%(table)s, %(leaf)s, %(first_day)s, %(end_day)s, %(columns)s::jsonb, %(rows)s, %(sums)s::jsonb, %(digest)s, %(file)s,
        %(sha256)s, %(bytes)s, %(versions)s::jsonb, %(archived_at)s, 'archived')
ON CONFLICT (file_name) DO UPDATE
SET file_sha256 = excluded.file_sha256, size_bytes = excluded.size_bytes, versions = excluded.versions,
    archived_at = excluded.archived_at, sums = excluded.sums, columns = excluded.columns,
    state = 'archived', changed_at = now()
