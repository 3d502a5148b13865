-- Transactions and sums by day, currency and status, from the fact itself.
SELECT date_key, currency_key, status_key, count(*) AS transactions,
       sum(amount_minor)::bigint AS amount_minor, sum(commission_minor)::bigint AS commission_minor
FROM dwh.fact_transactions
GROUP BY date_key, currency_key, status_key
