-- Rows that are to be written into leaves that exist.
CREATE TEMPORARY TABLE incoming_fact (LIKE dwh.fact_transactions) ON COMMIT DROP
