-- What was archived, newest last; all of it, or of one table, or of one leaf.
SELECT archive_id, state, table_name, leaf, first_day, end_day, columns, row_count, sums, digest, file_name, file_sha256,
       size_bytes, versions, archived_at
FROM ops.archive
WHERE (%(table)s::text IS NULL OR table_name = %(table)s) AND (%(leaf)s::text IS NULL OR leaf = %(leaf)s)
ORDER BY table_name, first_day, leaf, archive_id
