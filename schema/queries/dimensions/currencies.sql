-- Currencies that a file may name.
SELECT currency_code, currency_key, exponent FROM dwh.dim_currency WHERE currency_key > 0
