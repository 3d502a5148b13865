-- Leaves as they are now.
INSERT INTO ops.seen_leaf (leaf_oid, first_key, end_key, facts) SELECT leaf_oid, first_key, end_key, facts FROM ops.attached_leaf
