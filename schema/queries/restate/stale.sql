-- Facts of restored days whose version lost their moment while they were away. The first version covers what came before it.
INSERT INTO stale_fact
SELECT f.transaction_id, f.date_key, v.client_key
FROM (SELECT DISTINCT old_key, client_ref FROM ops.restated_range) AS r
JOIN dwh.fact_transactions f ON f.client_key = r.old_key AND f.date_key >= %(first)s AND f.date_key < %(end)s
CROSS JOIN LATERAL (SELECT c.client_key
                    FROM dwh.dim_client c
                    WHERE c.client_ref = r.client_ref
                    ORDER BY c.valid_from <= f.transaction_ts DESC,
                             CASE WHEN c.valid_from <= f.transaction_ts THEN c.valid_from END DESC,
                             c.valid_from
                    LIMIT 1) AS v
WHERE v.client_key <> f.client_key
