-- What became of the leaf of an archive.
UPDATE ops.archive SET state = %s, changed_at = now() WHERE file_name = %s AND state <> %s
