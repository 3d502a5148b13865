-- What the warehouse makes of each offered row: a newer version replaces, the same or an older one is repeated.
CREATE TEMPORARY TABLE incoming_verdict ON COMMIT DROP AS
SELECT i.seq,
       i.transaction_id,
       f.date_key    AS old_date_key,
       f.client_key  AS old_client_key,
       f.service_key AS old_service_key,
       CASE
           WHEN f.transaction_id IS NULL THEN 'loaded'
           WHEN i.source_updated_at > f.source_updated_at THEN 'updated'
           WHEN i.source_updated_at < f.source_updated_at THEN 'repeated'
           WHEN ROW (i.transaction_ts, i.amount_minor, i.commission_minor, i.processing_ms, i.currency_key, i.status_key,
                     i.beneficiary_key, i.service_key, i.channel_key, i.location_key, ic.client_ref)
                IS NOT DISTINCT FROM
                ROW (f.transaction_ts, f.amount_minor, f.commission_minor, f.processing_ms, f.currency_key, f.status_key,
                     f.beneficiary_key, f.service_key, f.channel_key, f.location_key, fc.client_ref) THEN 'repeated'
           ELSE 'conflict'
       END AS verdict
FROM incoming_fact i
JOIN dwh.dim_client ic USING (client_key)
LEFT JOIN dwh.fact_transactions f ON f.transaction_id = i.transaction_id
LEFT JOIN dwh.dim_client fc ON fc.client_key = f.client_key
