-- A script was applied, for the first time or again.
INSERT INTO ops.migration (name, kind, checksum) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = now()
