-- New rows and newer versions, each into the leaf of its day.
INSERT INTO dwh.fact_transactions
    (transaction_ts, source_updated_at, amount_minor, commission_minor, date_key, client_key, location_key, beneficiary_key,
     processing_ms, anomaly_flags, load_id, time_key, service_key, channel_key, currency_key, status_key, transaction_id)
SELECT i.transaction_ts, i.source_updated_at, i.amount_minor, i.commission_minor, i.date_key, i.client_key, i.location_key,
       i.beneficiary_key, i.processing_ms, i.anomaly_flags, i.load_id, i.time_key, i.service_key, i.channel_key,
       i.currency_key, i.status_key, i.transaction_id
FROM incoming_fact i
JOIN incoming_verdict v USING (seq)
WHERE v.verdict IN ('loaded', 'updated')
