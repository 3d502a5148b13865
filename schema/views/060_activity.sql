-- Activity and fraud by day: what figures of dashboards are added up from.
DROP MATERIALIZED VIEW IF EXISTS dwh.mv_activity_rollup CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_activity_rollup AS
SELECT cu.currency_code,
       a.country_code,
       a.customer_segment,
       make_date(a.date_key / 10000, a.date_key / 100 % 100, a.date_key % 100) AS full_date,
       s.service_name,
       s.category,
       a.transactions,
       a.successes,
       a.failures,
       a.pendings,
       a.reversals,
       (a.success_amount_minor / power(10::numeric, cu.exponent))::numeric(28, 4) AS success_amount,
       (a.commission_minor     / power(10::numeric, cu.exponent))::numeric(28, 4) AS commission,
       a.processing_ms_sum,
       a.processing_ms_count,
       a.labelled,
       a.frauds,
       (a.fraud_amount_minor   / power(10::numeric, cu.exponent))::numeric(28, 4) AS fraud_amount,
       a.date_key,
       a.service_key
FROM (SELECT date_key, service_key, currency_key,
             coalesce(country_code, '')       AS country_code,
             coalesce(customer_segment, '')   AS customer_segment,
             sum(transactions)::bigint        AS transactions,
             sum(successes)::bigint           AS successes,
             sum(failures)::bigint            AS failures,
             sum(pendings)::bigint            AS pendings,
             sum(reversals)::bigint           AS reversals,
             sum(success_amount_minor)        AS success_amount_minor,
             sum(commission_minor)            AS commission_minor,
             sum(processing_ms_sum)::bigint   AS processing_ms_sum,
             sum(processing_ms_count)::bigint AS processing_ms_count,
             coalesce(sum(labelled), 0)::bigint      AS labelled,
             coalesce(sum(frauds), 0)::bigint        AS frauds,
             coalesce(sum(fraud_amount_minor), 0)    AS fraud_amount_minor
      FROM dwh.activity_day
      LEFT JOIN (SELECT date_key, country_code, customer_segment, service_key, currency_key,
                        count(is_fraud)                           AS labelled,
                        count(*) FILTER (WHERE is_fraud)          AS frauds,
                        sum(amount_minor) FILTER (WHERE is_fraud) AS fraud_amount_minor
                 FROM dwh.fraud_case
                 GROUP BY date_key, country_code, customer_segment, service_key, currency_key) c
          USING (date_key, country_code, customer_segment, service_key, currency_key)
      GROUP BY date_key, service_key, currency_key, CUBE (country_code, customer_segment)) a
JOIN dwh.dim_service s USING (service_key)
JOIN dwh.dim_currency cu USING (currency_key)
-- A tile asks for one currency, and for a country and a segment or for the totals over them: its rows stand together. In the order of
-- its columns REFRESH ... CONCURRENTLY finds rows sorted when it looks for equal ones: 2 s for 200,000 rows in place of 10. As one
-- text: by five columns, the first of which has few values, the query of 535,000 rows took 7 s in place of 5.
ORDER BY cu.currency_code || E'\x01' || a.country_code || E'\x01' || a.customer_segment || E'\x01' || a.date_key || s.service_name COLLATE "C";
CREATE UNIQUE INDEX mv_activity_rollup_key ON dwh.mv_activity_rollup (currency_code, country_code, customer_segment, full_date, service_key);
COMMENT ON MATERIALIZED VIEW dwh.mv_activity_rollup IS 'One row a day x country x segment x service x currency, and the totals of these over countries, over segments and over both. Never add rows of different levels: v_activity_by_day and v_fraud_by_day are without totals.';
COMMENT ON COLUMN dwh.mv_activity_rollup.country_code        IS 'Country, as in v_activity_by_day; empty where the row is the total over countries.';
COMMENT ON COLUMN dwh.mv_activity_rollup.customer_segment    IS 'Commercial segment, as in v_activity_by_day; empty where the row is the total over segments.';
COMMENT ON COLUMN dwh.mv_activity_rollup.full_date           IS 'Day in the business time zone.';
COMMENT ON COLUMN dwh.mv_activity_rollup.service_name        IS 'Service.';
COMMENT ON COLUMN dwh.mv_activity_rollup.category            IS 'Category of the service.';
COMMENT ON COLUMN dwh.mv_activity_rollup.currency_code       IS 'Currency of the amounts, ISO 4217.';
COMMENT ON COLUMN dwh.mv_activity_rollup.transactions        IS 'Transactions, whatever their status.';
COMMENT ON COLUMN dwh.mv_activity_rollup.successes           IS 'of which SUCCESS.';
COMMENT ON COLUMN dwh.mv_activity_rollup.failures            IS 'of which FAILED.';
COMMENT ON COLUMN dwh.mv_activity_rollup.pendings            IS 'of which PENDING.';
COMMENT ON COLUMN dwh.mv_activity_rollup.reversals           IS 'of which REVERSED.';
COMMENT ON COLUMN dwh.mv_activity_rollup.success_amount      IS 'Amount of successful transactions.';
COMMENT ON COLUMN dwh.mv_activity_rollup.commission          IS 'Commission of successful transactions: revenue.';
COMMENT ON COLUMN dwh.mv_activity_rollup.processing_ms_sum   IS 'Sum of known processing times, ms.';
COMMENT ON COLUMN dwh.mv_activity_rollup.processing_ms_count IS 'Transactions whose processing time is known.';
COMMENT ON COLUMN dwh.mv_activity_rollup.labelled            IS 'Transactions that somebody has reported or reviewed.';
COMMENT ON COLUMN dwh.mv_activity_rollup.frauds              IS 'of which are fraud. Reports are late: the last weeks are not complete.';
COMMENT ON COLUMN dwh.mv_activity_rollup.fraud_amount        IS 'Amount of the frauds, whatever their status.';
COMMENT ON COLUMN dwh.mv_activity_rollup.date_key            IS 'Day, YYYYMMDD.';
COMMENT ON COLUMN dwh.mv_activity_rollup.service_key         IS 'Surrogate key of the service, whose name need not be unique.';

CREATE OR REPLACE VIEW dwh.v_activity_by_day WITH (security_invoker = true) AS
SELECT full_date,
       country_code,
       customer_segment,
       service_name,
       category,
       currency_code,
       transactions,
       successes,
       failures,
       pendings,
       reversals,
       success_amount,
       commission,
       processing_ms_sum,
       processing_ms_count,
       date_key,
       service_key
FROM dwh.mv_activity_rollup
WHERE country_code <> '' AND customer_segment <> '';
COMMENT ON VIEW dwh.v_activity_by_day IS 'One row a day x country x segment x service x currency, with names and decimals. As fresh as v_freshness says.';
COMMENT ON COLUMN dwh.v_activity_by_day.full_date           IS 'Day in the business time zone.';
COMMENT ON COLUMN dwh.v_activity_by_day.country_code        IS 'Country of the client at the moment of the transactions, else of the place, else UNKNOWN.';
COMMENT ON COLUMN dwh.v_activity_by_day.customer_segment    IS 'Commercial segment of the client at that moment.';
COMMENT ON COLUMN dwh.v_activity_by_day.service_name        IS 'Service.';
COMMENT ON COLUMN dwh.v_activity_by_day.category            IS 'Category of the service.';
COMMENT ON COLUMN dwh.v_activity_by_day.currency_code       IS 'Currency of the amounts, ISO 4217.';
COMMENT ON COLUMN dwh.v_activity_by_day.transactions        IS 'Transactions, whatever their status.';
COMMENT ON COLUMN dwh.v_activity_by_day.successes           IS 'of which SUCCESS.';
COMMENT ON COLUMN dwh.v_activity_by_day.failures            IS 'of which FAILED.';
COMMENT ON COLUMN dwh.v_activity_by_day.pendings            IS 'of which PENDING.';
COMMENT ON COLUMN dwh.v_activity_by_day.reversals           IS 'of which REVERSED.';
COMMENT ON COLUMN dwh.v_activity_by_day.success_amount      IS 'Amount of successful transactions.';
COMMENT ON COLUMN dwh.v_activity_by_day.commission          IS 'Commission of successful transactions: revenue.';
COMMENT ON COLUMN dwh.v_activity_by_day.processing_ms_sum   IS 'Sum of known processing times, ms.';
COMMENT ON COLUMN dwh.v_activity_by_day.processing_ms_count IS 'Transactions whose processing time is known.';
COMMENT ON COLUMN dwh.v_activity_by_day.date_key            IS 'Day, YYYYMMDD.';
COMMENT ON COLUMN dwh.v_activity_by_day.service_key         IS 'Surrogate key of the service, whose name need not be unique.';

CREATE OR REPLACE VIEW dwh.v_fraud_by_day WITH (security_invoker = true) AS
SELECT full_date,
       country_code,
       customer_segment,
       service_name,
       currency_code,
       transactions,
       labelled,
       frauds,
       fraud_amount,
       date_key,
       service_key
FROM dwh.mv_activity_rollup
WHERE country_code <> '' AND customer_segment <> '';
COMMENT ON VIEW dwh.v_fraud_by_day IS 'One row a day x country x segment x service x currency that has transactions: how many of them were reported as fraud. As fresh as v_freshness says.';
COMMENT ON COLUMN dwh.v_fraud_by_day.full_date           IS 'Day of the transactions, in the business time zone; not of the report.';
COMMENT ON COLUMN dwh.v_fraud_by_day.country_code        IS 'Country, as in v_activity_by_day.';
COMMENT ON COLUMN dwh.v_fraud_by_day.customer_segment    IS 'Commercial segment of the client at that moment.';
COMMENT ON COLUMN dwh.v_fraud_by_day.service_name        IS 'Service.';
COMMENT ON COLUMN dwh.v_fraud_by_day.currency_code       IS 'Currency of the amount, ISO 4217.';
COMMENT ON COLUMN dwh.v_fraud_by_day.transactions        IS 'Transactions, whatever their status.';
COMMENT ON COLUMN dwh.v_fraud_by_day.labelled            IS 'of which somebody has reported or reviewed.';
COMMENT ON COLUMN dwh.v_fraud_by_day.frauds              IS 'of which are fraud. Reports are late: the last weeks are not complete.';
COMMENT ON COLUMN dwh.v_fraud_by_day.fraud_amount        IS 'Amount of the frauds, whatever their status.';
COMMENT ON COLUMN dwh.v_fraud_by_day.date_key            IS 'Day, YYYYMMDD.';
COMMENT ON COLUMN dwh.v_fraud_by_day.service_key         IS 'Surrogate key of the service, whose name need not be unique.';

DROP MATERIALIZED VIEW IF EXISTS dwh.mv_monthly_active_clients CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_monthly_active_clients AS
SELECT a.month,
       a.country_code,
       a.customer_segment,
       coalesce(s.service_name, 'ALL') AS service_name,
       a.active_clients,
       a.service_key
FROM dwh.active_month a
LEFT JOIN dwh.dim_service s USING (service_key)
ORDER BY a.month, a.country_code COLLATE "C", a.customer_segment COLLATE "C", coalesce(s.service_name, 'ALL') COLLATE "C";
CREATE UNIQUE INDEX mv_monthly_active_clients_key ON dwh.mv_monthly_active_clients (month, service_key, country_code, customer_segment);
COMMENT ON MATERIALIZED VIEW dwh.mv_monthly_active_clients IS 'One row a month x country x segment x service: different clients with a transaction.';
COMMENT ON COLUMN dwh.mv_monthly_active_clients.month            IS 'First day of the month.';
COMMENT ON COLUMN dwh.mv_monthly_active_clients.country_code     IS 'Country of the newest version of the client, or UNKNOWN: countries add up.';
COMMENT ON COLUMN dwh.mv_monthly_active_clients.customer_segment IS 'Segment of the newest version of the client: segments add up.';
COMMENT ON COLUMN dwh.mv_monthly_active_clients.service_name     IS 'Service, or ALL: services do not add up.';
COMMENT ON COLUMN dwh.mv_monthly_active_clients.active_clients   IS 'Different clients with a transaction, whatever its status.';
COMMENT ON COLUMN dwh.mv_monthly_active_clients.service_key      IS 'Surrogate key of the service; -1 for ALL.';

DROP MATERIALIZED VIEW IF EXISTS dwh.mv_service_by_day CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_service_by_day AS
SELECT cu.currency_code,
       d.full_date,
       s.service_name,
       s.category,
       a.country_code,
       a.transactions,
       a.successes,
       a.failures,
       (a.success_amount_minor / power(10::numeric, cu.exponent))::numeric(28, 4) AS success_amount,
       (a.commission_minor     / power(10::numeric, cu.exponent))::numeric(28, 4) AS commission,
       round(a.processing_ms_sum::numeric / nullif(a.processing_ms_count, 0), 1) AS mean_processing_ms,
       p.p95_processing_ms,
       round(a.failures::numeric / a.transactions, 6) AS failure_rate,
       a.processing_ms_sum,
       a.processing_ms_count,
       a.service_key
FROM (SELECT date_key, service_key, country_code, currency_key,
             sum(transactions)::bigint        AS transactions,
             sum(successes)::bigint           AS successes,
             sum(failures)::bigint            AS failures,
             sum(success_amount_minor)        AS success_amount_minor,
             sum(commission_minor)            AS commission_minor,
             sum(processing_ms_sum)::bigint   AS processing_ms_sum,
             sum(processing_ms_count)::bigint AS processing_ms_count
      FROM dwh.activity_day
      GROUP BY date_key, service_key, country_code, currency_key) a
LEFT JOIN dwh.processing_day p USING (date_key, service_key, country_code, currency_key)
JOIN dwh.dim_date d USING (date_key)
JOIN dwh.dim_service s USING (service_key)
JOIN dwh.dim_currency cu USING (currency_key)
-- In this order REFRESH ... CONCURRENTLY finds its rows sorted when it looks for equal ones (see mv_activity_rollup).
ORDER BY cu.currency_code, d.full_date, s.service_name COLLATE "C", s.category COLLATE "C", a.country_code COLLATE "C";
CREATE UNIQUE INDEX mv_service_by_day_key ON dwh.mv_service_by_day (currency_code, full_date, service_key, country_code);
COMMENT ON MATERIALIZED VIEW dwh.mv_service_by_day IS 'One row a day x service x country x currency: volume, commission, processing time, failure rate.';
COMMENT ON COLUMN dwh.mv_service_by_day.full_date           IS 'Day in the business time zone.';
COMMENT ON COLUMN dwh.mv_service_by_day.service_name        IS 'Service.';
COMMENT ON COLUMN dwh.mv_service_by_day.category            IS 'Category of the service.';
COMMENT ON COLUMN dwh.mv_service_by_day.country_code        IS 'Country, as in v_activity_by_day.';
COMMENT ON COLUMN dwh.mv_service_by_day.currency_code       IS 'Currency of the amounts, ISO 4217.';
COMMENT ON COLUMN dwh.mv_service_by_day.transactions        IS 'Transactions.';
COMMENT ON COLUMN dwh.mv_service_by_day.successes           IS 'of which SUCCESS.';
COMMENT ON COLUMN dwh.mv_service_by_day.failures            IS 'of which FAILED.';
COMMENT ON COLUMN dwh.mv_service_by_day.success_amount      IS 'Amount of successful transactions.';
COMMENT ON COLUMN dwh.mv_service_by_day.commission          IS 'Commission of successful transactions.';
COMMENT ON COLUMN dwh.mv_service_by_day.mean_processing_ms  IS 'Mean of the known processing times, ms. Over several rows: processing_ms_sum by processing_ms_count.';
COMMENT ON COLUMN dwh.mv_service_by_day.p95_processing_ms   IS 'The shortest time that at least 95 % of the known processing times do not exceed, ms; exact for this row; that of several rows does not follow from theirs.';
COMMENT ON COLUMN dwh.mv_service_by_day.failure_rate        IS 'Failures by transactions. Over several rows: the sums of both.';
COMMENT ON COLUMN dwh.mv_service_by_day.processing_ms_sum   IS 'Sum of known processing times, ms.';
COMMENT ON COLUMN dwh.mv_service_by_day.processing_ms_count IS 'Transactions whose processing time is known.';
COMMENT ON COLUMN dwh.mv_service_by_day.service_key         IS 'Surrogate key of the service, whose name need not be unique.';
