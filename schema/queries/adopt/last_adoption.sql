-- The leaf that an adopted table became, if it still is a leaf of the partitioned table.
SELECT x.leaf
FROM ops.leaf_change c, unnest(c.leaves_after) AS x(leaf)
JOIN pg_inherits i ON i.inhrelid = to_regclass(x.leaf)
WHERE c.action = 'adopt' AND c.table_name = %s AND c.leaves_before = ARRAY[c.table_name]
  AND i.inhparent = to_regclass(c.table_name)
