-- Code and decimals of each currency.
SELECT currency_key AS currency, currency_code AS code, exponent FROM dwh.dim_currency
