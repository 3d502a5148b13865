-- What a leaf holds of the ids that it may hold: the version that newer ones have to beat, and the cell of the summary it stands in.
SELECT f.transaction_id, f.source_updated_at, f.transaction_ts, f.amount_minor, f.commission_minor, f.processing_ms, f.currency_key,
       f.status_key, f.beneficiary_key, f.service_key, f.channel_key, f.location_key, c.durable_key AS client_durable_key,
       f.date_key, f.client_key, f.load_id
FROM meeting i
JOIN {leaf} f USING (transaction_id)
JOIN dwh.dim_client c USING (client_key)
WHERE i.leaf_number = $1
