-- The dimensions are taken into memory first: joined in place they would be read again for each thread.
CREATE TABLE client AS FROM pg.peers.client;
CREATE TABLE beneficiary AS FROM pg.peers.beneficiary;
CREATE TABLE service AS FROM pg.peers.service;
CREATE TABLE channel AS FROM pg.peers.channel;
CREATE TABLE location AS FROM pg.peers.location;
CREATE TABLE currency AS FROM pg.peers.currency;
CREATE TABLE status AS FROM pg.peers.status;

INSERT INTO pg.dwh.fact_transactions (
    transaction_ts, source_updated_at, amount_minor, commission_minor, date_key, client_key, location_key, beneficiary_key,
    processing_ms, anomaly_flags, load_id, time_key, service_key, channel_key, currency_key, status_key, transaction_id
)
WITH typed AS (
    SELECT *, try_strptime(transaction_ts, '%Y-%m-%dT%H:%M:%SZ') AS local,
           coalesce(try_strptime(updated_at, '%Y-%m-%dT%H:%M:%SZ'), local) AS updated,
           try_cast(amount AS decimal(18, 4)) AS money, try_cast(commission AS decimal(18, 4)) AS fee,
           try_cast(processing_ms AS integer) AS ms
    FROM read_csv(getvariable('files'), all_varchar = true, header = true)
), newest AS (
    SELECT * FROM typed
    WHERE local IS NOT NULL AND money IS NOT NULL AND client_id IS NOT NULL AND transaction_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY transaction_id ORDER BY updated DESC) = 1
), keyed AS (
    SELECT n.*, (n.money * u.units)::bigint AS amount_minor, coalesce((n.fee * u.units)::bigint, 0) AS commission_minor,
           c.client_key, coalesce(l.location_key, 0) AS location_key, coalesce(b.beneficiary_key, 0) AS beneficiary_key,
           s.service_key, s.rate, s.is_active, coalesce(h.channel_key, 0) AS channel_key, u.currency_key, k.status_key
    FROM newest n
    JOIN client c ON c.client_id = n.client_id AND n.local AT TIME ZONE 'UTC' >= c.valid_from AND n.local AT TIME ZONE 'UTC' < c.valid_to
    JOIN service s ON s.service_id = n.service_id JOIN currency u ON u.currency = n.currency
    JOIN status k ON k.status = n.status
    LEFT JOIN channel h ON h.channel_code = n.channel_code LEFT JOIN location l ON l.location_code = n.location_code
    LEFT JOIN beneficiary b ON b.beneficiary_id = n.beneficiary_id
)
SELECT local AT TIME ZONE 'UTC', updated AT TIME ZONE 'UTC', amount_minor, commission_minor,
       (year(local) * 10000 + month(local) * 100 + day(local))::integer, client_key, location_key, beneficiary_key, ms,
       (fee IS NOT NULL AND abs(commission_minor - amount_minor * rate / 100) > 1)::integer
           + (amount_minor = 0)::integer * 2 + coalesce(ms > 60000, false)::integer * 4
           + (NOT is_active)::integer * 8 + (updated < local)::integer * 16,
       1, (hour(local) * 60 + minute(local))::smallint, service_key, channel_key, currency_key, status_key, transaction_id
FROM keyed;
