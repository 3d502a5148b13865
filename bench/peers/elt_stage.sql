-- As dbt users stage files: all text, unlogged.
CREATE UNLOGGED TABLE peers.raw (
    transaction_id text, transaction_ts text, client_id text, service_id text, channel_code text, location_code text,
    beneficiary_id text, currency text, amount text, commission text, status text, processing_ms text, updated_at text
);
