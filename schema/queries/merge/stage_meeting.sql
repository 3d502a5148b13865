-- Ids that may stand in a leaf, by the leaf's number.
CREATE TEMPORARY TABLE meeting (leaf_number bigint NOT NULL, transaction_id text COLLATE "C" NOT NULL)
