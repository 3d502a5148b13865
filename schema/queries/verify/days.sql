-- First and last day of facts and of their daily summary.
SELECT min(first), max(last)
FROM (SELECT min(date_key) AS first, max(date_key) AS last FROM dwh.fact_transactions
      UNION ALL
      SELECT min(date_key), max(date_key) FROM dwh.fact_daily_client_summary) AS days
