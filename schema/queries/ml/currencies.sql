-- Decimals of each currency.
SELECT currency_key AS currency, exponent FROM dwh.dim_currency
