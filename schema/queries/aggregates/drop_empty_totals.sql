-- Totals of days whose last transaction went to another day.
DELETE FROM ops.day_total WHERE transactions = 0
