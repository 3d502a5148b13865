-- Facts: partitioned parents without a leaf, without a DEFAULT partition and without a unique index (leaves have theirs).
-- Columns stand in the order of their width, so that a row carries no padding.
CREATE TABLE dwh.fact_transactions (
    transaction_ts    timestamptz NOT NULL,
    source_updated_at timestamptz NOT NULL,
    amount_minor      bigint   NOT NULL,
    commission_minor  bigint   NOT NULL,
    date_key          integer  NOT NULL,
    client_key        integer  NOT NULL,
    location_key      integer  NOT NULL,
    beneficiary_key   integer  NOT NULL,
    processing_ms     integer,
    anomaly_flags     integer  NOT NULL,
    load_id           integer  NOT NULL,
    time_key          smallint NOT NULL,
    service_key       smallint NOT NULL,
    channel_key       smallint NOT NULL,
    currency_key      smallint NOT NULL,
    status_key        smallint NOT NULL,
    transaction_id    text COLLATE "C" NOT NULL
) PARTITION BY RANGE (date_key);
CREATE INDEX fact_transactions_date_client ON dwh.fact_transactions (date_key, client_key);
CREATE INDEX fact_transactions_service ON dwh.fact_transactions (service_key);
COMMENT ON TABLE  dwh.fact_transactions                   IS 'One row a transaction, in its newest version.';
COMMENT ON COLUMN dwh.fact_transactions.transaction_ts    IS 'Moment of the transaction.';
COMMENT ON COLUMN dwh.fact_transactions.source_updated_at IS 'Moment of this version in the source; the newest wins.';
COMMENT ON COLUMN dwh.fact_transactions.amount_minor      IS 'Amount in minor units of the currency.';
COMMENT ON COLUMN dwh.fact_transactions.commission_minor  IS 'Commission in minor units of the currency.';
COMMENT ON COLUMN dwh.fact_transactions.date_key          IS 'Day in the business time zone, YYYYMMDD; partition key.';
COMMENT ON COLUMN dwh.fact_transactions.client_key        IS 'Version of the paying client that was true at transaction_ts.';
COMMENT ON COLUMN dwh.fact_transactions.location_key      IS 'Place.';
COMMENT ON COLUMN dwh.fact_transactions.beneficiary_key   IS 'Beneficiary.';
COMMENT ON COLUMN dwh.fact_transactions.processing_ms     IS 'Processing time in milliseconds.';
COMMENT ON COLUMN dwh.fact_transactions.anomaly_flags     IS 'Bits: 1 commission differs from the service''s rate by more than one minor unit; 2 amount is zero; 4 processing took more than a minute; 8 service is not active; 16 updated_at is before transaction_ts.';
COMMENT ON COLUMN dwh.fact_transactions.load_id           IS 'Run that wrote this version.';
COMMENT ON COLUMN dwh.fact_transactions.time_key          IS 'Minute of the day in the business time zone.';
COMMENT ON COLUMN dwh.fact_transactions.service_key       IS 'Service.';
COMMENT ON COLUMN dwh.fact_transactions.channel_key       IS 'Channel.';
COMMENT ON COLUMN dwh.fact_transactions.currency_key      IS 'Currency of both amounts.';
COMMENT ON COLUMN dwh.fact_transactions.status_key        IS 'Status.';
COMMENT ON COLUMN dwh.fact_transactions.transaction_id    IS 'Natural key; unique in the whole table, by a unique index on each leaf and the loader''s look-up across leaves.';

CREATE TABLE dwh.fact_daily_client_summary (
    amount_minor          bigint   NOT NULL,
    success_amount_minor  bigint   NOT NULL,
    commission_minor      bigint   NOT NULL,
    processing_ms_sum     bigint   NOT NULL,
    date_key              integer  NOT NULL,
    client_key            integer  NOT NULL,
    client_durable_key    integer  NOT NULL,
    transactions          integer  NOT NULL,
    successes             integer  NOT NULL,
    failures              integer  NOT NULL,
    pendings              integer  NOT NULL,
    reversals             integer  NOT NULL,
    processing_ms_count   integer  NOT NULL,
    distinct_beneficiaries integer NOT NULL,
    anomalies             integer  NOT NULL,
    service_key           smallint NOT NULL,
    currency_key          smallint NOT NULL
) PARTITION BY RANGE (date_key);
COMMENT ON TABLE  dwh.fact_daily_client_summary                        IS 'One row a day x client x service x currency.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.amount_minor           IS 'Sum of amounts over all statuses, minor units.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.success_amount_minor   IS 'Sum of amounts of successful transactions, minor units.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.commission_minor       IS 'Sum of commissions of successful transactions (revenue), minor units.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.processing_ms_sum      IS 'Sum of known processing times, ms.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.date_key               IS 'Day, YYYYMMDD; partition key.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.client_key             IS 'Client version.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.client_durable_key     IS 'The client whatever its version: count distinct clients by this one, without a join.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.transactions           IS 'Number of transactions.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.successes              IS 'of which SUCCESS.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.failures               IS 'of which FAILED.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.pendings               IS 'of which PENDING.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.reversals              IS 'of which REVERSED.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.processing_ms_count    IS 'Number of transactions whose processing time is known.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.distinct_beneficiaries IS 'Number of different beneficiaries, the unknown one not counted.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.anomalies              IS 'Number of transactions with an anomaly flag.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.service_key            IS 'Service.';
COMMENT ON COLUMN dwh.fact_daily_client_summary.currency_key           IS 'Currency of the amounts.';
