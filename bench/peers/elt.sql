-- Checks, newest version of each id, dimension joins, facts; refused rows are kept. Written so that PostgreSQL joins by hash
-- and casts once; without these two settings it spills.
SET work_mem = '512MB';
SET hash_mem_multiplier = 2;
ANALYZE peers.raw;

CREATE UNLOGGED TABLE peers.refused AS
SELECT r.* FROM peers.raw r
LEFT JOIN peers.service s USING (service_id) LEFT JOIN peers.currency u USING (currency) LEFT JOIN peers.status t USING (status)
WHERE r.transaction_id IS NULL OR r.client_id IS NULL OR s.service_key IS NULL OR u.currency_key IS NULL OR t.status_key IS NULL
   OR r.transaction_ts !~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$' OR r.transaction_ts IS NULL
   OR r.amount !~ '^\d{1,14}(\.\d{1,4})?$' OR r.amount IS NULL
   OR r.commission !~ '^\d{1,14}(\.\d{1,4})?$' OR r.processing_ms !~ '^\d{1,9}$';

INSERT INTO dwh.fact_transactions (
    transaction_ts, source_updated_at, amount_minor, commission_minor, date_key, client_key, location_key, beneficiary_key,
    processing_ms, anomaly_flags, load_id, time_key, service_key, channel_key, currency_key, status_key, transaction_id
)
WITH typed AS MATERIALIZED (
    SELECT DISTINCT ON (transaction_id)
        transaction_id, transaction_ts::timestamptz AS at, coalesce(updated_at, transaction_ts)::timestamptz AS updated,
        client_id, service_id, channel_code, location_code, beneficiary_id, currency, status,
        amount::numeric AS amount, commission::numeric AS commission, processing_ms::integer AS processing_ms
    FROM peers.raw
    WHERE transaction_ts ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$' AND client_id IS NOT NULL
      AND amount ~ '^\d{1,14}(\.\d{1,4})?$'
      AND (commission IS NULL OR commission ~ '^\d{1,14}(\.\d{1,4})?$')
      AND (processing_ms IS NULL OR processing_ms ~ '^\d{1,9}$')
    ORDER BY transaction_id, updated DESC
), keyed AS (
    SELECT t.*, (t.amount * u.units)::bigint AS amount_minor, coalesce((t.commission * u.units)::bigint, 0) AS commission_minor,
           t.at AT TIME ZONE 'UTC' AS local, c.client_key, coalesce(l.location_key, 0) AS location_key,
           coalesce(b.beneficiary_key, 0) AS beneficiary_key, s.service_key, s.rate, s.is_active,
           coalesce(h.channel_key, 0) AS channel_key, u.currency_key, k.status_key
    FROM typed t
    JOIN peers.client c ON c.client_id = t.client_id AND t.at >= c.valid_from AND t.at < c.valid_to
    JOIN peers.service s USING (service_id) JOIN peers.currency u USING (currency) JOIN peers.status k USING (status)
    LEFT JOIN peers.channel h USING (channel_code) LEFT JOIN peers.location l USING (location_code)
    LEFT JOIN peers.beneficiary b USING (beneficiary_id)
)
SELECT at, updated, amount_minor, commission_minor,
       (extract(year FROM local) * 10000 + extract(month FROM local) * 100 + extract(day FROM local))::integer,
       client_key, location_key, beneficiary_key, processing_ms,
       (commission IS NOT NULL AND abs(commission_minor - amount_minor * rate / 100) > 1)::integer
           + (amount_minor = 0)::integer * 2 + coalesce(processing_ms > 60000, false)::integer * 4
           + (NOT is_active)::integer * 8 + (updated < at)::integer * 16,
       1, (extract(hour FROM local) * 60 + extract(minute FROM local))::smallint,
       service_key, channel_key, currency_key, status_key, transaction_id
FROM keyed;
