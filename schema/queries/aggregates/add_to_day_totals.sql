-- What the change of cells of some days does to the totals of those days. A client came to a day, or left it, who has cells of only
-- one sign there, and no other cell that did not change.
INSERT INTO ops.day_total AS t
    (success_amount_minor, commission_minor, processing_ms_sum, processing_ms_count, transactions, successes, failures, active_clients,
     leaf_oid, date_key, currency_key)
WITH by_client AS (
    SELECT c.leaf_oid, c.date_key, c.currency_key, c.client_durable_key,
           sum(c.sign * c.success_amount_minor::numeric) AS success_amount_minor,
           sum(c.sign * c.commission_minor::numeric)     AS commission_minor,
           sum(c.sign * c.processing_ms_sum::numeric)    AS processing_ms_sum,
           sum(c.sign * c.processing_ms_count)           AS processing_ms_count,
           sum(c.sign * c.transactions)                  AS transactions,
           sum(c.sign * c.successes)                     AS successes,
           sum(c.sign * c.failures)                      AS failures,
           count(*) FILTER (WHERE c.sign = -1)           AS before,
           count(*) FILTER (WHERE c.sign = 1)            AS now
    FROM changed_cell c
    JOIN ops.totalled_leaf l USING (leaf_oid)
    WHERE c.date_key = ANY (%(days)s::integer[])
    GROUP BY c.leaf_oid, c.date_key, c.currency_key, c.client_durable_key
), with_activity AS (
    SELECT b.*,
           CASE WHEN (b.before > 0) = (b.now > 0) THEN 0
                -- A subquery for each: a few cells by their index, and never the leaf.
                WHEN (SELECT count(*)
                      FROM dwh.dim_client d
                      JOIN dwh.fact_daily_client_summary s ON s.client_key = d.client_key
                      WHERE d.durable_key = b.client_durable_key AND s.date_key = ANY (%(days)s::integer[])
                        AND s.date_key = b.date_key AND s.currency_key = b.currency_key) > b.now THEN 0
                WHEN b.now > 0 THEN 1
                ELSE -1 END AS active_clients
    FROM by_client b
)
SELECT sum(success_amount_minor), sum(commission_minor), sum(processing_ms_sum), sum(processing_ms_count), sum(transactions),
       sum(successes), sum(failures), sum(active_clients), leaf_oid, date_key, currency_key
FROM with_activity
GROUP BY leaf_oid, date_key, currency_key
ON CONFLICT (leaf_oid, date_key, currency_key) DO UPDATE
SET success_amount_minor = t.success_amount_minor + excluded.success_amount_minor,
    commission_minor     = t.commission_minor + excluded.commission_minor,
    processing_ms_sum    = t.processing_ms_sum + excluded.processing_ms_sum,
    processing_ms_count  = t.processing_ms_count + excluded.processing_ms_count,
    transactions         = t.transactions + excluded.transactions,
    successes            = t.successes + excluded.successes,
    failures             = t.failures + excluded.failures,
    active_clients       = t.active_clients + excluded.active_clients
