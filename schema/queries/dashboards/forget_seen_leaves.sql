-- Leaves are looked at anew.
DELETE FROM ops.seen_leaf
