-- Write down that leaves took the place of others.
INSERT INTO ops.leaf_change (action, table_name, leaves_before, leaves_after, row_count, totals)
VALUES (%s, %s, %s, %s, %s, %s)
