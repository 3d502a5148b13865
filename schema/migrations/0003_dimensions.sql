-- Dimensions. Key 0 is the unknown member; surrogate keys are given out by the loader, in the order of the natural keys.
CREATE TABLE dwh.dim_date (
    date_key      integer PRIMARY KEY,
    full_date     date     NOT NULL UNIQUE,
    year          smallint NOT NULL,
    quarter       smallint NOT NULL,
    month_number  smallint NOT NULL,
    month_name    text     NOT NULL,
    iso_week      smallint NOT NULL,
    day_of_week   smallint NOT NULL,
    is_weekend    boolean  NOT NULL,
    is_month_end  boolean  NOT NULL,
    is_holiday    boolean  NOT NULL,
    holiday_countries text NOT NULL
);
CREATE INDEX dim_date_year_month ON dwh.dim_date (year, month_number);
COMMENT ON TABLE  dwh.dim_date                   IS 'One row a day of the business calendar, 2000 to 2040.';
COMMENT ON COLUMN dwh.dim_date.date_key          IS 'Day as YYYYMMDD.';
COMMENT ON COLUMN dwh.dim_date.full_date         IS 'Day as a date.';
COMMENT ON COLUMN dwh.dim_date.year              IS 'Year.';
COMMENT ON COLUMN dwh.dim_date.quarter           IS 'Quarter, 1-4.';
COMMENT ON COLUMN dwh.dim_date.month_number      IS 'Month, 1-12.';
COMMENT ON COLUMN dwh.dim_date.month_name        IS 'Month in English.';
COMMENT ON COLUMN dwh.dim_date.iso_week          IS 'ISO week, 1-53.';
COMMENT ON COLUMN dwh.dim_date.day_of_week       IS 'Monday 1 to Sunday 7.';
COMMENT ON COLUMN dwh.dim_date.is_weekend        IS 'Saturday or Sunday.';
COMMENT ON COLUMN dwh.dim_date.is_month_end      IS 'Last day of its month.';
COMMENT ON COLUMN dwh.dim_date.is_holiday        IS 'Public holiday in at least one configured country (CAURI_HOLIDAY_COUNTRIES).';
COMMENT ON COLUMN dwh.dim_date.holiday_countries IS 'Those countries, ISO 3166 codes joined by commas; empty if none.';

CREATE TABLE dwh.dim_time (
    time_key          smallint PRIMARY KEY CHECK (time_key BETWEEN 0 AND 1439),
    hour              smallint NOT NULL,
    minute            smallint NOT NULL,
    day_part          text     NOT NULL,
    is_business_hours boolean  NOT NULL
);
COMMENT ON TABLE  dwh.dim_time                   IS 'One row a minute of the day.';
COMMENT ON COLUMN dwh.dim_time.time_key          IS 'Minute of the day, 0-1439.';
COMMENT ON COLUMN dwh.dim_time.hour              IS 'Hour, 0-23.';
COMMENT ON COLUMN dwh.dim_time.minute            IS 'Minute, 0-59.';
COMMENT ON COLUMN dwh.dim_time.day_part          IS 'night (0-5), morning (6-11), afternoon (12-17), evening (18-23).';
COMMENT ON COLUMN dwh.dim_time.is_business_hours IS '08:00 to 17:59.';

CREATE TABLE dwh.dim_client (
    client_key       integer PRIMARY KEY,
    durable_key      integer     NOT NULL,
    client_ref       bytea       NOT NULL,
    client_code      text        NOT NULL,
    customer_segment text        NOT NULL,
    company_size     text        NOT NULL,
    risk_level       text        NOT NULL,
    sector           text,
    country_code     text,
    city             text,
    kyc_level        smallint,
    onboarded_on     date,
    valid_from       timestamptz NOT NULL,
    valid_to         timestamptz,
    is_current       boolean     NOT NULL,
    recorded_at      timestamptz NOT NULL,
    is_inferred      boolean     NOT NULL,
    attribute_hash   bigint      NOT NULL,
    CHECK (valid_to IS NULL OR valid_to > valid_from),
    CHECK (is_current = (valid_to IS NULL)),
    UNIQUE (client_ref, valid_from)
);
CREATE UNIQUE INDEX dim_client_current ON dwh.dim_client (client_ref) WHERE is_current;
CREATE INDEX dim_client_segment ON dwh.dim_client (customer_segment);
CREATE INDEX dim_client_code ON dwh.dim_client (client_code);
COMMENT ON TABLE  dwh.dim_client                  IS 'One row a version of a client (SCD type 2 on segment, size and risk; the other attributes hold the latest value).';
COMMENT ON COLUMN dwh.dim_client.client_key       IS 'Surrogate key of the version.';
COMMENT ON COLUMN dwh.dim_client.durable_key      IS 'The same for all versions of a client: count clients by this one.';
COMMENT ON COLUMN dwh.dim_client.client_ref       IS 'Pseudonym of the client: HMAC-SHA-256 of its identifier.';
COMMENT ON COLUMN dwh.dim_client.client_code      IS 'Short readable code made from the pseudonym, so that people can talk about a client.';
COMMENT ON COLUMN dwh.dim_client.customer_segment IS 'Commercial segment; history is kept.';
COMMENT ON COLUMN dwh.dim_client.company_size     IS 'MICRO, SMALL, MEDIUM, LARGE; history is kept.';
COMMENT ON COLUMN dwh.dim_client.risk_level       IS 'LOW, MEDIUM, HIGH; history is kept.';
COMMENT ON COLUMN dwh.dim_client.sector           IS 'Sector of activity, latest value.';
COMMENT ON COLUMN dwh.dim_client.country_code     IS 'ISO 3166 alpha-2, latest value.';
COMMENT ON COLUMN dwh.dim_client.city             IS 'City, latest value.';
COMMENT ON COLUMN dwh.dim_client.kyc_level        IS 'Know-your-customer level 0-3, latest value.';
COMMENT ON COLUMN dwh.dim_client.onboarded_on     IS 'Day on which the client joined.';
COMMENT ON COLUMN dwh.dim_client.valid_from       IS 'Effective time: from when this version was true, inclusive.';
COMMENT ON COLUMN dwh.dim_client.valid_to         IS 'Effective time: until when, exclusive; NULL for the current version.';
COMMENT ON COLUMN dwh.dim_client.is_current       IS 'Whether this is the current version.';
COMMENT ON COLUMN dwh.dim_client.recorded_at      IS 'Recorded time: when the warehouse learned of this version.';
COMMENT ON COLUMN dwh.dim_client.is_inferred      IS 'Known from transactions only; completed in place when the client''s own row arrives.';
COMMENT ON COLUMN dwh.dim_client.attribute_hash   IS 'Hash of the attributes whose history is kept: equal hash, equal version.';

CREATE TABLE dwh.dim_service (
    service_key     smallint PRIMARY KEY,
    service_id      text COLLATE "C" NOT NULL UNIQUE,
    service_name    text NOT NULL,
    category        text NOT NULL,
    commission_rate numeric(6, 4) NOT NULL CHECK (commission_rate BETWEEN 0 AND 5),
    is_active       boolean NOT NULL
);
COMMENT ON TABLE  dwh.dim_service                 IS 'One row a service sold to clients.';
COMMENT ON COLUMN dwh.dim_service.service_key     IS 'Surrogate key.';
COMMENT ON COLUMN dwh.dim_service.service_id      IS 'Natural key.';
COMMENT ON COLUMN dwh.dim_service.service_name    IS 'Name.';
COMMENT ON COLUMN dwh.dim_service.category        IS 'Category.';
COMMENT ON COLUMN dwh.dim_service.commission_rate IS 'Commission in percent of the amount, 0 to 5.';
COMMENT ON COLUMN dwh.dim_service.is_active       IS 'Whether it is still sold.';

CREATE TABLE dwh.dim_channel (
    channel_key  smallint PRIMARY KEY,
    channel_code text COLLATE "C" NOT NULL UNIQUE,
    channel_name text NOT NULL,
    is_inferred  boolean NOT NULL
);
COMMENT ON TABLE  dwh.dim_channel              IS 'One row a channel: USSD, app, API, agent, ...';
COMMENT ON COLUMN dwh.dim_channel.channel_key  IS 'Surrogate key.';
COMMENT ON COLUMN dwh.dim_channel.channel_code IS 'Natural key.';
COMMENT ON COLUMN dwh.dim_channel.channel_name IS 'Name.';
COMMENT ON COLUMN dwh.dim_channel.is_inferred  IS 'Known from transactions only.';

CREATE TABLE dwh.dim_location (
    location_key  integer PRIMARY KEY,
    location_code text COLLATE "C" NOT NULL UNIQUE,
    city          text,
    region        text,
    country_code  text,
    latitude      double precision,
    longitude     double precision,
    is_inferred   boolean NOT NULL
);
COMMENT ON TABLE  dwh.dim_location               IS 'One row a place where transactions are made.';
COMMENT ON COLUMN dwh.dim_location.location_key  IS 'Surrogate key.';
COMMENT ON COLUMN dwh.dim_location.location_code IS 'Natural key.';
COMMENT ON COLUMN dwh.dim_location.city          IS 'City.';
COMMENT ON COLUMN dwh.dim_location.region        IS 'Region.';
COMMENT ON COLUMN dwh.dim_location.country_code  IS 'ISO 3166 alpha-2.';
COMMENT ON COLUMN dwh.dim_location.latitude      IS 'Degrees north.';
COMMENT ON COLUMN dwh.dim_location.longitude     IS 'Degrees east.';
COMMENT ON COLUMN dwh.dim_location.is_inferred   IS 'Known from transactions only.';

CREATE TABLE dwh.dim_beneficiary (
    beneficiary_key  integer PRIMARY KEY,
    beneficiary_ref  bytea NOT NULL UNIQUE,
    beneficiary_type text  NOT NULL CHECK (beneficiary_type IN ('UNKNOWN', 'WALLET', 'ACCOUNT')),
    country_code     text,
    first_seen_on    date
);
COMMENT ON TABLE  dwh.dim_beneficiary                  IS 'One row a beneficiary; only facts know them.';
COMMENT ON COLUMN dwh.dim_beneficiary.beneficiary_key  IS 'Surrogate key.';
COMMENT ON COLUMN dwh.dim_beneficiary.beneficiary_ref  IS 'Pseudonym: HMAC-SHA-256 of the phone number in E.164 or of the account code.';
COMMENT ON COLUMN dwh.dim_beneficiary.beneficiary_type IS 'WALLET for a phone number, ACCOUNT for another code, UNKNOWN.';
COMMENT ON COLUMN dwh.dim_beneficiary.country_code     IS 'Country of the phone number, ISO 3166 alpha-2.';
COMMENT ON COLUMN dwh.dim_beneficiary.first_seen_on    IS 'Day of the first load that named the beneficiary.';

CREATE TABLE dwh.dim_currency (
    currency_key  smallint PRIMARY KEY,
    currency_code text COLLATE "C" NOT NULL UNIQUE,
    currency_name text NOT NULL,
    exponent      smallint NOT NULL CHECK (exponent BETWEEN 0 AND 4)
);
COMMENT ON TABLE  dwh.dim_currency               IS 'One row a currency.';
COMMENT ON COLUMN dwh.dim_currency.currency_key  IS 'Surrogate key.';
COMMENT ON COLUMN dwh.dim_currency.currency_code IS 'ISO 4217 code.';
COMMENT ON COLUMN dwh.dim_currency.currency_name IS 'Name.';
COMMENT ON COLUMN dwh.dim_currency.exponent      IS 'Decimals of the currency: amount = amount_minor / 10^exponent.';

CREATE TABLE dwh.dim_status (
    status_key  smallint PRIMARY KEY,
    status_code text COLLATE "C" NOT NULL UNIQUE,
    is_final    boolean NOT NULL
);
COMMENT ON TABLE  dwh.dim_status             IS 'One row a status of a transaction.';
COMMENT ON COLUMN dwh.dim_status.status_key  IS 'Surrogate key.';
COMMENT ON COLUMN dwh.dim_status.status_code IS 'SUCCESS, FAILED, PENDING, REVERSED.';
COMMENT ON COLUMN dwh.dim_status.is_final    IS 'Whether a transaction can stay in this status for good.';

INSERT INTO dwh.dim_client VALUES
    (0, 0, '\x00', 'UNKNOWN', 'UNKNOWN', 'UNKNOWN', 'UNKNOWN', NULL, NULL, NULL, NULL, NULL,
     '1900-01-01 00:00+00', NULL, true, '1900-01-01 00:00+00', true, 0);
INSERT INTO dwh.dim_service VALUES (0, 'UNKNOWN', 'Unknown', 'UNKNOWN', 0, false);
INSERT INTO dwh.dim_channel VALUES (0, 'UNKNOWN', 'Unknown', true);
INSERT INTO dwh.dim_location VALUES (0, 'UNKNOWN', NULL, NULL, NULL, NULL, NULL, true);
INSERT INTO dwh.dim_beneficiary VALUES (0, '\x00', 'UNKNOWN', NULL, NULL);
INSERT INTO dwh.dim_status VALUES (0, 'UNKNOWN', false), (1, 'SUCCESS', true), (2, 'FAILED', true), (3, 'PENDING', false), (4, 'REVERSED', true);
INSERT INTO dwh.dim_currency VALUES
    (0, 'XXX', 'No currency', 0),
    (1, 'XOF', 'CFA franc BCEAO', 0), (2, 'XAF', 'CFA franc BEAC', 0), (3, 'GNF', 'Guinean franc', 0), (4, 'GHS', 'Ghanaian cedi', 2),
    (5, 'NGN', 'Nigerian naira', 2), (6, 'KES', 'Kenyan shilling', 2), (7, 'TZS', 'Tanzanian shilling', 2), (8, 'UGX', 'Ugandan shilling', 0),
    (9, 'RWF', 'Rwandan franc', 0), (10, 'BIF', 'Burundian franc', 0), (11, 'CDF', 'Congolese franc', 2), (12, 'MAD', 'Moroccan dirham', 2),
    (13, 'DZD', 'Algerian dinar', 2), (14, 'TND', 'Tunisian dinar', 3), (15, 'EGP', 'Egyptian pound', 2), (16, 'ETB', 'Ethiopian birr', 2),
    (17, 'ZAR', 'South African rand', 2), (18, 'ZMW', 'Zambian kwacha', 2), (19, 'MWK', 'Malawian kwacha', 2), (20, 'MZN', 'Mozambican metical', 2),
    (21, 'MGA', 'Malagasy ariary', 2), (22, 'SLE', 'Sierra Leonean leone', 2), (23, 'LRD', 'Liberian dollar', 2), (24, 'GMD', 'Gambian dalasi', 2),
    (25, 'MRU', 'Mauritanian ouguiya', 2), (26, 'KMF', 'Comorian franc', 0), (27, 'DJF', 'Djiboutian franc', 0), (28, 'BWP', 'Botswana pula', 2),
    (29, 'NAD', 'Namibian dollar', 2), (30, 'AOA', 'Angolan kwanza', 2), (31, 'EUR', 'Euro', 2), (32, 'USD', 'US dollar', 2), (33, 'GBP', 'Pound sterling', 2);
