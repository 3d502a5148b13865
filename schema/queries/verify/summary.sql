-- The daily summary of some days.
SELECT * FROM dwh.fact_daily_client_summary WHERE date_key >= {first} AND date_key < {end}
