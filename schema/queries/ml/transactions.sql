-- Transactions of the days [$1, $2), as keys; the dimensions are joined in memory.
SELECT transaction_id, transaction_ts, date_key, client_key, NULLIF(beneficiary_key, 0) AS beneficiary,
       service_key AS service, channel_key AS channel, NULLIF(location_key, 0) AS location, currency_key AS currency, amount_minor
FROM dwh.fact_transactions
WHERE date_key >= $1 AND date_key < $2
