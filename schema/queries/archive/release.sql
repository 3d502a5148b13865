-- A leaf that is gone is held no longer.
DELETE FROM ops.leaf_hold WHERE table_name = %s AND leaf = %s
