-- Days and currencies of which the kept totals are not those of the daily summary, and the other way round.
WITH kept AS (
    SELECT success_amount_minor, commission_minor, processing_ms_sum, processing_ms_count, transactions, successes, failures, active_clients,
           date_key, currency_key
    FROM ops.day_total
), computed AS (
    SELECT sum(success_amount_minor), sum(commission_minor), sum(processing_ms_sum), sum(processing_ms_count), sum(transactions),
           sum(successes), sum(failures), count(DISTINCT client_durable_key), date_key, currency_key
    FROM dwh.fact_daily_client_summary
    GROUP BY date_key, currency_key
)
SELECT count(*)
FROM ((TABLE kept EXCEPT ALL TABLE computed) UNION ALL (TABLE computed EXCEPT ALL TABLE kept)) AS differing
