-- First and last day with a successful transaction.
SELECT min(date_key), max(date_key) FROM ops.day_total WHERE successes > 0
