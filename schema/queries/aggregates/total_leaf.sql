-- Totals of the days of a leaf.
INSERT INTO ops.day_total
    (success_amount_minor, commission_minor, processing_ms_sum, processing_ms_count, transactions, successes, failures, active_clients,
     leaf_oid, date_key, currency_key)
SELECT sum(s.success_amount_minor), sum(s.commission_minor), sum(s.processing_ms_sum), sum(s.processing_ms_count), sum(s.transactions),
       sum(s.successes), sum(s.failures), count(DISTINCT s.client_durable_key), s.tableoid, s.date_key, s.currency_key
FROM {leaf} s
GROUP BY s.tableoid, s.date_key, s.currency_key
