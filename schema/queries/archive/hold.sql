-- A restored leaf stays until a day, although its retention has passed.
INSERT INTO ops.leaf_hold (table_name, leaf, until, reason) VALUES (%s, %s, %s, 'restored')
ON CONFLICT (table_name, leaf) DO UPDATE SET until = excluded.until, reason = excluded.reason, recorded_at = now()
