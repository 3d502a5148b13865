-- What peers need not do: identifiers stand beside the keys that Cauri gave out. Pseudonyms, client history, inferred
-- members and new beneficiaries are Cauri's work alone.
CREATE SCHEMA peers;
CREATE TABLE peers.service AS
    SELECT service_id, service_key, commission_rate::double precision AS rate, is_active FROM dwh.dim_service;
CREATE TABLE peers.channel AS SELECT channel_code, channel_key FROM dwh.dim_channel;
CREATE TABLE peers.location AS SELECT location_code, location_key FROM dwh.dim_location;
CREATE TABLE peers.currency AS
    SELECT currency_code AS currency, currency_key, (10 ^ exponent)::integer AS units FROM dwh.dim_currency;
CREATE TABLE peers.status AS SELECT status_code AS status, status_key FROM dwh.dim_status;
CREATE TABLE peers.beneficiary (beneficiary_id text NOT NULL, beneficiary_key integer NOT NULL);
CREATE TABLE peers.client (
    client_id text NOT NULL, client_key integer NOT NULL, durable_key integer NOT NULL, valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL
);
