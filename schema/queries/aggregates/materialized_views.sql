-- Materialized views of the warehouse.
SELECT matviewname FROM pg_matviews WHERE schemaname = 'dwh' ORDER BY matviewname
