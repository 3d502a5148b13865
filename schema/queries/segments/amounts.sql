-- What each client did successfully in each currency, from the day $1 on and before the day $2.
SELECT client_durable_key          AS client,
       currency_key                AS currency,
       sum(successes)::bigint            AS successes,
       sum(success_amount_minor)::bigint AS amount_minor,
       sum(commission_minor)::bigint     AS commission_minor
FROM dwh.fact_daily_client_summary
WHERE date_key >= $1 AND date_key < $2 AND client_durable_key <> 0 AND successes > 0
GROUP BY client_durable_key, currency_key
