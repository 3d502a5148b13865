-- Revenue of a month by client.
INSERT INTO {client_month} (commission_minor, month, durable_key, currency_key)
SELECT sum(commission_minor), %(month)s::date, client_durable_key, currency_key
FROM dwh.fact_daily_client_summary
WHERE date_key >= %(first)s AND date_key < %(end)s AND commission_minor <> 0
GROUP BY client_durable_key, currency_key
