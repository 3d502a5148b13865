-- Ids of the parts between whose ends a leaf has an id. ORDER BY keeps to the index; a part that has none would be a scan of the leaf.
INSERT INTO meeting
SELECT $1, i.transaction_id
FROM id_block b
CROSS JOIN LATERAL (SELECT FROM {leaf} f
                    WHERE f.transaction_id >= b.lowest COLLATE "C" AND f.transaction_id <= b.highest COLLATE "C"
                    ORDER BY f.transaction_id LIMIT 1) AS of_block
JOIN id_part p USING (block)
CROSS JOIN LATERAL (SELECT FROM {leaf} f
                    WHERE f.transaction_id >= p.lowest COLLATE "C" AND f.transaction_id <= p.highest COLLATE "C"
                    ORDER BY f.transaction_id LIMIT 1) AS of_part
JOIN incoming i USING (part)
