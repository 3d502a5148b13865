-- Rows that are offered to leaves that exist.
CREATE TEMPORARY TABLE incoming_fact (seq bigint NOT NULL, LIKE dwh.fact_transactions) ON COMMIT DROP
