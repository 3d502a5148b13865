-- Rows of a file that were refused are loaded, updated or repeated by now.
UPDATE ops.file
SET rows_loaded = rows_loaded + %(loaded)s, rows_updated = rows_updated + %(updated)s, rows_repeated = rows_repeated + %(repeated)s,
    rows_rejected = rows_rejected - (%(loaded)s + %(updated)s + %(repeated)s)
WHERE content_hash = %(content_hash)s AND feed = %(feed)s AND contract = %(contract)s
