-- From now on step 8 adds to its totals what changes.
INSERT INTO ops.totalled_leaf SELECT oid, relname FROM pg_class WHERE oid = to_regclass(%s)
