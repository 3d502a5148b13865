-- What dashboards rest on: small tables by day, kept up to date day by day, and what is known of their freshness. A query of a
-- dashboard never reads the facts.
CREATE TABLE dwh.activity_day (
    success_amount_minor numeric NOT NULL,
    commission_minor     numeric NOT NULL,
    processing_ms_sum    bigint  NOT NULL,
    processing_ms_count  bigint  NOT NULL,
    transactions         bigint  NOT NULL,
    successes            bigint  NOT NULL,
    failures             bigint  NOT NULL,
    pendings             bigint  NOT NULL,
    reversals            bigint  NOT NULL,
    date_key             integer NOT NULL,
    full_date            date    NOT NULL,
    service_key          smallint NOT NULL,
    currency_key         smallint NOT NULL,
    country_code         text    NOT NULL,
    customer_segment     text    NOT NULL,
    PRIMARY KEY (date_key, country_code, customer_segment, service_key, currency_key)
);
CREATE INDEX activity_day_full_date ON dwh.activity_day (full_date);
COMMENT ON TABLE  dwh.activity_day                      IS 'The daily summary by day x country x segment x service x currency; dashboards add these rows up.';
COMMENT ON COLUMN dwh.activity_day.success_amount_minor IS 'Sum of amounts of successful transactions, minor units.';
COMMENT ON COLUMN dwh.activity_day.commission_minor     IS 'Sum of commissions of successful transactions (revenue), minor units.';
COMMENT ON COLUMN dwh.activity_day.processing_ms_sum    IS 'Sum of known processing times, ms.';
COMMENT ON COLUMN dwh.activity_day.processing_ms_count  IS 'Transactions whose processing time is known.';
COMMENT ON COLUMN dwh.activity_day.transactions         IS 'Transactions.';
COMMENT ON COLUMN dwh.activity_day.successes            IS 'of which SUCCESS.';
COMMENT ON COLUMN dwh.activity_day.failures             IS 'of which FAILED.';
COMMENT ON COLUMN dwh.activity_day.pendings             IS 'of which PENDING.';
COMMENT ON COLUMN dwh.activity_day.reversals            IS 'of which REVERSED.';
COMMENT ON COLUMN dwh.activity_day.date_key             IS 'Day.';
COMMENT ON COLUMN dwh.activity_day.full_date            IS 'The same as a date: a query of a year need not look up each of its 100,000 rows.';
COMMENT ON COLUMN dwh.activity_day.service_key          IS 'Service.';
COMMENT ON COLUMN dwh.activity_day.currency_key         IS 'Currency of the amounts.';
COMMENT ON COLUMN dwh.activity_day.country_code         IS 'Country of the client; where it is not known, of the place, as long as the facts are there; else UNKNOWN.';
COMMENT ON COLUMN dwh.activity_day.customer_segment     IS 'Commercial segment of the client at the moment of the transactions.';

CREATE TABLE dwh.activity_hour (
    transactions bigint   NOT NULL,
    date_key     integer  NOT NULL,
    hour         smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),
    currency_key smallint NOT NULL,
    country_code text     NOT NULL,
    PRIMARY KEY (date_key, hour, country_code, currency_key)
);
COMMENT ON TABLE  dwh.activity_hour              IS 'Transactions by day x hour x country x currency.';
COMMENT ON COLUMN dwh.activity_hour.transactions IS 'Transactions.';
COMMENT ON COLUMN dwh.activity_hour.date_key     IS 'Day.';
COMMENT ON COLUMN dwh.activity_hour.hour         IS 'Hour of the day in the business time zone, 0-23.';
COMMENT ON COLUMN dwh.activity_hour.currency_key IS 'Currency.';
COMMENT ON COLUMN dwh.activity_hour.country_code IS 'Country, as in dwh.activity_day.';

CREATE TABLE dwh.processing_day (
    p95_processing_ms integer  NOT NULL,
    date_key          integer  NOT NULL,
    service_key       smallint NOT NULL,
    currency_key      smallint NOT NULL,
    country_code      text     NOT NULL,
    PRIMARY KEY (date_key, service_key, country_code, currency_key)
);
COMMENT ON TABLE  dwh.processing_day                   IS 'The 95th percentile of processing times by day x service x country x currency, which cannot be added up from smaller groups.';
COMMENT ON COLUMN dwh.processing_day.p95_processing_ms IS 'The shortest time that at least 95 % of the known processing times do not exceed, ms (percentile_disc).';
COMMENT ON COLUMN dwh.processing_day.date_key          IS 'Day.';
COMMENT ON COLUMN dwh.processing_day.service_key       IS 'Service.';
COMMENT ON COLUMN dwh.processing_day.currency_key      IS 'Currency.';
COMMENT ON COLUMN dwh.processing_day.country_code      IS 'Country, as in dwh.activity_day.';

CREATE TABLE dwh.fraud_case (
    amount_minor     bigint   NOT NULL,
    fraud_score      double precision,
    date_key         integer  NOT NULL,
    client_key       integer  NOT NULL,
    hour             smallint NOT NULL,
    service_key      smallint NOT NULL,
    currency_key     smallint NOT NULL,
    is_fraud         boolean,
    transaction_id   text COLLATE "C" PRIMARY KEY,
    country_code     text     NOT NULL,
    customer_segment text     NOT NULL,
    band             text
);
CREATE INDEX fraud_case_day ON dwh.fraud_case (date_key);
COMMENT ON TABLE  dwh.fraud_case                  IS 'One row a transaction that has a label or an alert: an accumulating snapshot of what is known of it.';
COMMENT ON COLUMN dwh.fraud_case.amount_minor     IS 'Amount of the transaction, whatever its status, minor units.';
COMMENT ON COLUMN dwh.fraud_case.fraud_score      IS 'Its score, if it has one.';
COMMENT ON COLUMN dwh.fraud_case.date_key         IS 'Its day.';
COMMENT ON COLUMN dwh.fraud_case.client_key       IS 'Version of its client.';
COMMENT ON COLUMN dwh.fraud_case.hour             IS 'Hour of the day in the business time zone, 0-23.';
COMMENT ON COLUMN dwh.fraud_case.service_key      IS 'Service.';
COMMENT ON COLUMN dwh.fraud_case.currency_key     IS 'Currency of the amount.';
COMMENT ON COLUMN dwh.fraud_case.is_fraud         IS 'Label: fraud, or reviewed and found honest; NULL if nobody has reported it.';
COMMENT ON COLUMN dwh.fraud_case.transaction_id   IS 'Transaction.';
COMMENT ON COLUMN dwh.fraud_case.country_code     IS 'Country, as in dwh.activity_day.';
COMMENT ON COLUMN dwh.fraud_case.customer_segment IS 'Commercial segment of the client at the moment of the transaction.';
COMMENT ON COLUMN dwh.fraud_case.band             IS 'Band of its score: allow, review, block; NULL if it was not scored.';

CREATE TABLE dwh.active_month (
    active_clients   bigint   NOT NULL,
    month            date     NOT NULL,
    service_key      smallint NOT NULL,
    country_code     text     NOT NULL,
    customer_segment text     NOT NULL,
    PRIMARY KEY (month, service_key, country_code, customer_segment)
);
COMMENT ON TABLE  dwh.active_month                  IS 'Different clients with a transaction by month x service x country x segment.';
COMMENT ON COLUMN dwh.active_month.active_clients   IS 'Clients, whatever the status of their transactions.';
COMMENT ON COLUMN dwh.active_month.month            IS 'First day of the month.';
COMMENT ON COLUMN dwh.active_month.service_key      IS 'Service; -1 for all of them together, which is less than their sum.';
COMMENT ON COLUMN dwh.active_month.country_code     IS 'Country of the newest version of the client, or UNKNOWN: so that countries add up.';
COMMENT ON COLUMN dwh.active_month.customer_segment IS 'Segment of the newest version of the client: so that segments add up.';

CREATE TABLE dwh.client_month (
    commission_minor numeric  NOT NULL,
    month            date     NOT NULL,
    durable_key      integer  NOT NULL,
    currency_key     smallint NOT NULL,
    PRIMARY KEY (month, durable_key, currency_key)
);
COMMENT ON TABLE  dwh.client_month                  IS 'Revenue by month x client x currency, for the twelve months before a segmentation.';
COMMENT ON COLUMN dwh.client_month.commission_minor IS 'Sum of commissions of successful transactions, minor units.';
COMMENT ON COLUMN dwh.client_month.month            IS 'First day of the month.';
COMMENT ON COLUMN dwh.client_month.durable_key      IS 'Client, whatever its version.';
COMMENT ON COLUMN dwh.client_month.currency_key     IS 'Currency.';

CREATE TABLE dwh.segment_day (
    clients           bigint   NOT NULL,
    recency_sum       bigint   NOT NULL,
    frequency_sum     bigint   NOT NULL,
    monetary_sum      numeric  NOT NULL,
    expected_revenue_sum numeric NOT NULL,
    past_revenue_sum  numeric  NOT NULL,
    churn_risk_sum    numeric  NOT NULL,
    revenue_at_risk   numeric  NOT NULL,
    as_of             date     NOT NULL,
    segment           smallint NOT NULL,
    country_code      text     NOT NULL,
    customer_segment  text     NOT NULL,
    risk_band         text     NOT NULL CHECK (risk_band IN ('low', 'medium', 'high', 'unknown')),
    currency_code     text     NOT NULL,
    PRIMARY KEY (as_of, segment, country_code, customer_segment, risk_band)
);
COMMENT ON TABLE  dwh.segment_day                      IS 'ml.client_segment by day of segmentation x segment x country x commercial segment x risk of churn.';
COMMENT ON COLUMN dwh.segment_day.clients              IS 'Clients.';
COMMENT ON COLUMN dwh.segment_day.recency_sum          IS 'Sum of days since their last successful transaction.';
COMMENT ON COLUMN dwh.segment_day.frequency_sum        IS 'Sum of their successful transactions in 12 months.';
COMMENT ON COLUMN dwh.segment_day.monetary_sum         IS 'Sum of their value in 12 months, units of the reporting currency.';
COMMENT ON COLUMN dwh.segment_day.expected_revenue_sum IS 'Sum of the commission expected in the next 12 months, units of the reporting currency.';
COMMENT ON COLUMN dwh.segment_day.past_revenue_sum     IS 'Commission of the 12 months before, converted at the rates that the model declares.';
COMMENT ON COLUMN dwh.segment_day.churn_risk_sum       IS 'Sum of the risks of churn (1 - alive_probability) of the clients that have one.';
COMMENT ON COLUMN dwh.segment_day.revenue_at_risk      IS 'Sum of risk of churn x expected revenue, units of the reporting currency.';
COMMENT ON COLUMN dwh.segment_day.as_of                IS 'Day of the segmentation, exclusive.';
COMMENT ON COLUMN dwh.segment_day.segment              IS 'Segment 1-5 (ml.segment).';
COMMENT ON COLUMN dwh.segment_day.country_code         IS 'Country of the client, or UNKNOWN.';
COMMENT ON COLUMN dwh.segment_day.customer_segment     IS 'Commercial segment of the client on the eve of as_of.';
COMMENT ON COLUMN dwh.segment_day.risk_band            IS 'Risk of churn: low below 0.3, medium below 0.7, high; unknown where the model says nothing.';
COMMENT ON COLUMN dwh.segment_day.currency_code        IS 'Reporting currency of the model.';

CREATE TABLE dwh.segment_move (
    clients          bigint   NOT NULL,
    from_as_of       date     NOT NULL,
    to_as_of         date     NOT NULL,
    from_segment     smallint NOT NULL,
    to_segment       smallint NOT NULL,
    is_refit         boolean  NOT NULL,
    country_code     text     NOT NULL,
    customer_segment text     NOT NULL,
    PRIMARY KEY (to_as_of, from_segment, to_segment, country_code, customer_segment)
);
COMMENT ON TABLE  dwh.segment_move                  IS 'Clients by the segments that they had on two successive days of segmentation.';
COMMENT ON COLUMN dwh.segment_move.clients          IS 'Clients.';
COMMENT ON COLUMN dwh.segment_move.from_as_of       IS 'The earlier day.';
COMMENT ON COLUMN dwh.segment_move.to_as_of         IS 'The later day, the next one of which there are segments.';
COMMENT ON COLUMN dwh.segment_move.from_segment     IS 'Segment on the earlier day; 0 if the client had none yet.';
COMMENT ON COLUMN dwh.segment_move.to_segment       IS 'Segment on the later day; 0 if the client has none any more.';
COMMENT ON COLUMN dwh.segment_move.is_refit         IS 'The two days have different models: a client may have moved without having changed.';
COMMENT ON COLUMN dwh.segment_move.country_code     IS 'Country of the client, or UNKNOWN.';
COMMENT ON COLUMN dwh.segment_move.customer_segment IS 'Commercial segment of the client on the eve of the later day.';

CREATE TABLE ops.stale_day (
    date_key integer PRIMARY KEY,
    facts    boolean NOT NULL
);
COMMENT ON TABLE  ops.stale_day          IS 'Days whose rows in the tables of dashboards have to be computed again; marked in the transaction that changes what they rest on.';
COMMENT ON COLUMN ops.stale_day.date_key IS 'Day.';
COMMENT ON COLUMN ops.stale_day.facts    IS 'Facts, cells or clients changed; otherwise scores only, on which cases rest.';

CREATE TABLE ops.stale_segmentation (
    as_of date PRIMARY KEY
);
COMMENT ON TABLE  ops.stale_segmentation       IS 'Days of segmentation whose rows in the tables of dashboards have to be computed again.';
COMMENT ON COLUMN ops.stale_segmentation.as_of IS 'Day of segmentation.';

CREATE TABLE ops.seen_leaf (
    leaf_oid  oid     PRIMARY KEY,
    first_key integer NOT NULL,
    end_key   integer NOT NULL,
    facts     boolean NOT NULL
);
COMMENT ON TABLE  ops.seen_leaf           IS 'Leaves of facts, daily summary and scores as they were attached when days were last looked for: a leaf that is new or gone makes its days stale.';
COMMENT ON COLUMN ops.seen_leaf.leaf_oid  IS 'Leaf.';
COMMENT ON COLUMN ops.seen_leaf.first_key IS 'First day.';
COMMENT ON COLUMN ops.seen_leaf.end_key   IS 'Day after the last one.';
COMMENT ON COLUMN ops.seen_leaf.facts     IS 'A leaf of facts or of the daily summary; otherwise of scores.';

CREATE TABLE ops.seen_client (
    client_key       integer PRIMARY KEY,
    durable_key      integer NOT NULL,
    country_code     text,
    customer_segment text    NOT NULL,
    risk_level       text    NOT NULL,
    valid_from       timestamptz NOT NULL,
    is_newest        boolean NOT NULL
);
CREATE INDEX seen_client_durable ON ops.seen_client (durable_key);
COMMENT ON TABLE  ops.seen_client                  IS 'Versions of clients as the tables of dashboards know them: a version that differs makes its days stale.';
COMMENT ON COLUMN ops.seen_client.client_key       IS 'Version.';
COMMENT ON COLUMN ops.seen_client.durable_key      IS 'Client.';
COMMENT ON COLUMN ops.seen_client.country_code     IS 'Country.';
COMMENT ON COLUMN ops.seen_client.customer_segment IS 'Commercial segment.';
COMMENT ON COLUMN ops.seen_client.risk_level       IS 'Level of risk.';
COMMENT ON COLUMN ops.seen_client.valid_from       IS 'From when the version is true.';
COMMENT ON COLUMN ops.seen_client.is_newest        IS 'Whether it is the newest of its client.';

CREATE TABLE ops.seen_location (
    location_key integer PRIMARY KEY,
    country_code text
);
COMMENT ON TABLE  ops.seen_location              IS 'Places as the tables of dashboards know them: one in another country makes days of clients without a country stale.';
COMMENT ON COLUMN ops.seen_location.location_key IS 'Place.';
COMMENT ON COLUMN ops.seen_location.country_code IS 'Country.';

CREATE TABLE ops.view_source (
    source  text   PRIMARY KEY,
    version bigint NOT NULL
);
COMMENT ON TABLE  ops.view_source         IS 'How far each source of the materialized views has come.';
COMMENT ON COLUMN ops.view_source.source  IS 'days, cases, clients, segmentations: tables of dashboards, and their number of changes; labels, dimensions, segments: runs up to which the ledger was taken into account.';
COMMENT ON COLUMN ops.view_source.version IS 'Number.';
INSERT INTO ops.view_source VALUES
    ('days', 0), ('cases', 0), ('clients', 0), ('segmentations', 0), ('labels', 0), ('dimensions', 0), ('segments', 0);

CREATE TABLE ops.view_refresh (
    view_name    text        PRIMARY KEY,
    refreshed_at timestamptz NOT NULL,
    seconds      double precision NOT NULL,
    built_on     text        NOT NULL
);
COMMENT ON TABLE  ops.view_refresh              IS 'When each materialized view was refreshed last.';
COMMENT ON COLUMN ops.view_refresh.view_name    IS 'View of dwh.';
COMMENT ON COLUMN ops.view_refresh.refreshed_at IS 'When.';
COMMENT ON COLUMN ops.view_refresh.seconds      IS 'How long it took.';
COMMENT ON COLUMN ops.view_refresh.built_on     IS 'State of its sources then.';
