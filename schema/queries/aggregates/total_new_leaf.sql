-- Totals of the days of a new leaf, and what it holds. All is added up from its cells but the clients, who were counted when the
-- cells were sent; of a day that does not have those cells and clients, no total is written.
WITH held AS MATERIALIZED (
    SELECT date_key, currency_key,
           count(*)                  AS cells,
           sum(client_durable_key)   AS client_sum,
           sum(amount_minor)         AS amount_minor,
           sum(success_amount_minor) AS success_amount_minor,
           sum(commission_minor)     AS commission_minor,
           sum(processing_ms_sum)    AS processing_ms_sum,
           sum(processing_ms_count)  AS processing_ms_count,
           sum(transactions)         AS transactions,
           sum(successes)            AS successes,
           sum(failures)             AS failures
    FROM {leaf}
    GROUP BY date_key, currency_key
), counted AS (
    SELECT *
    FROM unnest(%(date_key)s::integer[], %(currency_key)s::smallint[], %(cells)s::bigint[], %(client_sum)s::bigint[],
                %(active_clients)s::bigint[]) AS c (date_key, currency_key, cells, client_sum, active_clients)
), written AS (
    INSERT INTO ops.day_total
        (success_amount_minor, commission_minor, processing_ms_sum, processing_ms_count, transactions, successes, failures, active_clients,
         leaf_oid, date_key, currency_key)
    SELECT success_amount_minor, commission_minor, processing_ms_sum, processing_ms_count, transactions, successes, failures, active_clients,
           to_regclass(%(leaf)s), date_key, currency_key
    FROM held
    JOIN counted USING (date_key, currency_key, cells, client_sum)
    RETURNING 1
)
SELECT (SELECT count(*) FROM written), sum(cells), sum(transactions), sum(amount_minor)::text
FROM held
