-- The daily summary as a model that depends on the facts: one statement over all days.
SET work_mem = '512MB';
SET hash_mem_multiplier = 2;
ANALYZE dwh.fact_transactions;

INSERT INTO dwh.fact_daily_client_summary (
    amount_minor, success_amount_minor, commission_minor, processing_ms_sum, date_key, client_key, client_durable_key, transactions,
    successes, failures, pendings, reversals, processing_ms_count, distinct_beneficiaries, anomalies, service_key, currency_key
)
SELECT sum(amount_minor),
       coalesce(sum(amount_minor) FILTER (WHERE status_key = 1), 0),
       coalesce(sum(commission_minor) FILTER (WHERE status_key = 1), 0),
       coalesce(sum(processing_ms), 0),
       date_key, client_key, min(c.durable_key), count(*),
       count(*) FILTER (WHERE status_key = 1),
       count(*) FILTER (WHERE status_key = 2),
       count(*) FILTER (WHERE status_key = 3),
       count(*) FILTER (WHERE status_key = 4),
       count(processing_ms),
       count(DISTINCT beneficiary_key) FILTER (WHERE beneficiary_key <> 0),
       count(*) FILTER (WHERE anomaly_flags <> 0),
       service_key, currency_key
FROM dwh.fact_transactions JOIN peers.client c USING (client_key)
GROUP BY date_key, client_key, service_key, currency_key;
