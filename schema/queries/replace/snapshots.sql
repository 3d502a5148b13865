-- Transactions of others that may still read by a snapshot of theirs: process, begin, whether they have held it for a while.
-- A statement outside a transaction block has locked all of its tables already.
SELECT pid, xact_start, state <> 'active' OR xact_start < clock_timestamp() - interval '1 second'
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND backend_xmin IS NOT NULL AND NOT (state = 'active' AND xact_start = query_start)
