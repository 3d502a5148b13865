-- Materialized views of the warehouse with what they are made by.
SELECT matviewname, definition FROM pg_matviews WHERE schemaname = 'dwh' ORDER BY matviewname
