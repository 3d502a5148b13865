-- New rows and newer versions, each into the leaf of its day.
INSERT INTO dwh.fact_transactions
    (transaction_ts, source_updated_at, amount_minor, commission_minor, date_key, client_key, location_key, beneficiary_key,
     processing_ms, anomaly_flags, load_id, time_key, service_key, channel_key, currency_key, status_key, transaction_id)
SELECT transaction_ts, source_updated_at, amount_minor, commission_minor, date_key, client_key, location_key, beneficiary_key,
       processing_ms, anomaly_flags, load_id, time_key, service_key, channel_key, currency_key, status_key, transaction_id
FROM incoming_fact
