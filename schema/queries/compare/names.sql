-- Names of every pair of currency and status.
SELECT currency_key, status_key, currency_code, status_code FROM dwh.dim_currency CROSS JOIN dwh.dim_status
