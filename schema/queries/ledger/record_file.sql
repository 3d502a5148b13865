-- A file is accounted for.
INSERT INTO ops.file (content_hash, feed, contract, file_name, size_bytes, run_id,
                      rows_read, rows_loaded, rows_updated, rows_repeated, rows_rejected)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
