-- Fraud: by hour, by client, and what blocking has saved.
DROP MATERIALIZED VIEW IF EXISTS dwh.mv_fraud_heat_map CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_fraud_heat_map AS
SELECT make_date(d.year, d.month_number, 1) AS month,
       d.day_of_week,
       a.hour,
       a.country_code,
       cu.currency_code,
       sum(a.transactions)::bigint           AS transactions,
       coalesce(sum(c.frauds), 0)::bigint    AS frauds,
       (coalesce(sum(c.fraud_amount_minor), 0) / power(10::numeric, cu.exponent))::numeric(28, 4) AS fraud_amount
FROM dwh.activity_hour a
LEFT JOIN (SELECT date_key, hour, country_code, currency_key, count(*) AS frauds, sum(amount_minor) AS fraud_amount_minor
           FROM dwh.fraud_case
           WHERE is_fraud
           GROUP BY date_key, hour, country_code, currency_key) c
    USING (date_key, hour, country_code, currency_key)
JOIN dwh.dim_date d USING (date_key)
JOIN dwh.dim_currency cu USING (currency_key)
GROUP BY d.year, d.month_number, d.day_of_week, a.hour, a.country_code, cu.currency_code, cu.exponent
ORDER BY 1, d.day_of_week, a.hour, a.country_code COLLATE "C", cu.currency_code;
CREATE UNIQUE INDEX mv_fraud_heat_map_key ON dwh.mv_fraud_heat_map (month, day_of_week, hour, country_code, currency_code);
COMMENT ON MATERIALIZED VIEW dwh.mv_fraud_heat_map IS 'One row a month x day of the week x hour x country x currency: transactions and frauds.';
COMMENT ON COLUMN dwh.mv_fraud_heat_map.month         IS 'First day of the month.';
COMMENT ON COLUMN dwh.mv_fraud_heat_map.day_of_week   IS 'Monday 1 to Sunday 7.';
COMMENT ON COLUMN dwh.mv_fraud_heat_map.hour          IS 'Hour in the business time zone, 0-23.';
COMMENT ON COLUMN dwh.mv_fraud_heat_map.country_code  IS 'Country, as in v_activity_by_day.';
COMMENT ON COLUMN dwh.mv_fraud_heat_map.currency_code IS 'Currency of the amount, ISO 4217.';
COMMENT ON COLUMN dwh.mv_fraud_heat_map.transactions  IS 'Transactions.';
COMMENT ON COLUMN dwh.mv_fraud_heat_map.frauds        IS 'of which were reported as fraud.';
COMMENT ON COLUMN dwh.mv_fraud_heat_map.fraud_amount  IS 'Amount of the frauds.';

DROP MATERIALIZED VIEW IF EXISTS dwh.mv_amount_saved CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_amount_saved AS
SELECT cu.currency_code,
       d.full_date,
       c.country_code,
       c.customer_segment,
       s.service_name,
       c.frauds,
       (c.fraud_minor  / power(10::numeric, cu.exponent))::numeric(28, 4) AS fraud_amount,
       c.blocked_frauds,
       (c.saved_minor  / power(10::numeric, cu.exponent))::numeric(28, 4) AS saved_amount,
       c.frauds - c.blocked_frauds AS missed_frauds,
       ((c.fraud_minor - c.saved_minor) / power(10::numeric, cu.exponent))::numeric(28, 4) AS missed_amount,
       c.blocked_honest,
       c.blocked,
       c.service_key
FROM (SELECT date_key, country_code, customer_segment, service_key, currency_key,
             count(*) FILTER (WHERE is_fraud)                                                    AS frauds,
             coalesce(sum(amount_minor) FILTER (WHERE is_fraud), 0)                              AS fraud_minor,
             count(*) FILTER (WHERE is_fraud AND band = 'block')                                 AS blocked_frauds,
             coalesce(sum(amount_minor) FILTER (WHERE is_fraud AND band = 'block'), 0)           AS saved_minor,
             count(*) FILTER (WHERE NOT is_fraud AND band = 'block')                             AS blocked_honest,
             count(*) FILTER (WHERE band = 'block')                                              AS blocked
      FROM dwh.fraud_case
      WHERE is_fraud OR band = 'block'
      GROUP BY date_key, country_code, customer_segment, service_key, currency_key) c
JOIN dwh.dim_date d USING (date_key)
JOIN dwh.dim_service s USING (service_key)
JOIN dwh.dim_currency cu USING (currency_key)
ORDER BY cu.currency_code, d.full_date, c.country_code COLLATE "C", c.customer_segment COLLATE "C", s.service_name COLLATE "C";
CREATE UNIQUE INDEX mv_amount_saved_key ON dwh.mv_amount_saved (currency_code, full_date, country_code, customer_segment, service_key);
COMMENT ON MATERIALIZED VIEW dwh.mv_amount_saved IS 'One row a day x country x segment x service x currency that has a fraud or a blocked transaction: what blocking saved, and what it missed.';
COMMENT ON COLUMN dwh.mv_amount_saved.full_date        IS 'Day of the transactions, in the business time zone.';
COMMENT ON COLUMN dwh.mv_amount_saved.country_code     IS 'Country, as in v_activity_by_day.';
COMMENT ON COLUMN dwh.mv_amount_saved.customer_segment IS 'Commercial segment of the client at that moment.';
COMMENT ON COLUMN dwh.mv_amount_saved.service_name     IS 'Service.';
COMMENT ON COLUMN dwh.mv_amount_saved.currency_code    IS 'Currency of the amounts, ISO 4217.';
COMMENT ON COLUMN dwh.mv_amount_saved.frauds           IS 'Transactions reported as fraud.';
COMMENT ON COLUMN dwh.mv_amount_saved.fraud_amount     IS 'Their amount.';
COMMENT ON COLUMN dwh.mv_amount_saved.blocked_frauds   IS 'Frauds in the band block.';
COMMENT ON COLUMN dwh.mv_amount_saved.saved_amount     IS 'Amount of the frauds in the band block: blocked and confirmed.';
COMMENT ON COLUMN dwh.mv_amount_saved.missed_frauds    IS 'Frauds in another band, or without a score.';
COMMENT ON COLUMN dwh.mv_amount_saved.missed_amount    IS 'Their amount.';
COMMENT ON COLUMN dwh.mv_amount_saved.blocked_honest   IS 'Transactions in the band block that were reviewed and found honest.';
COMMENT ON COLUMN dwh.mv_amount_saved.blocked          IS 'Transactions in the band block, reported or not.';
COMMENT ON COLUMN dwh.mv_amount_saved.service_key      IS 'Surrogate key of the service.';

DROP MATERIALIZED VIEW IF EXISTS dwh.mv_clients_at_risk CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_clients_at_risk AS
WITH span AS (
    SELECT max(d.full_date) AS as_of,
           to_char(max(d.full_date) - 89, 'YYYYMMDD')::integer AS first_key
    FROM dwh.activity_day a
    JOIN dwh.dim_date d USING (date_key)
), suspect AS (
    SELECT v.durable_key,
           c.currency_key,
           count(*) FILTER (WHERE c.band IN ('review', 'block'))        AS alerts,
           count(*) FILTER (WHERE c.band = 'block')                     AS blocked,
           count(*) FILTER (WHERE c.is_fraud)                           AS frauds,
           coalesce(sum(c.amount_minor) FILTER (WHERE c.is_fraud), 0)   AS fraud_minor,
           max(c.fraud_score)                                           AS highest_score,
           max(c.date_key) FILTER (WHERE c.band IN ('review', 'block')) AS last_alert_key
    FROM dwh.fraud_case c
    JOIN dwh.dim_client v USING (client_key)
    WHERE c.date_key >= (SELECT first_key FROM span) AND (c.is_fraud OR c.band IN ('review', 'block'))
    GROUP BY v.durable_key, c.currency_key
), active AS (
    SELECT f.client_durable_key AS durable_key, f.currency_key, sum(f.transactions) AS transactions
    FROM dwh.fact_daily_client_summary f
    JOIN suspect USING (currency_key)
    WHERE f.client_durable_key = suspect.durable_key AND f.date_key >= (SELECT first_key FROM span)
    GROUP BY f.client_durable_key, f.currency_key
)
SELECT span.as_of,
       row_number() OVER (ORDER BY s.frauds DESC, s.blocked DESC, s.alerts DESC, s.highest_score DESC NULLS LAST, n.client_code,
                                   cu.currency_code) AS rank,
       n.client_code,
       coalesce(n.country_code, 'UNKNOWN') AS country_code,
       n.customer_segment,
       n.risk_level,
       cu.currency_code,
       coalesce(a.transactions, 0)::bigint AS transactions,
       s.alerts,
       s.blocked,
       s.frauds,
       (s.fraud_minor / power(10::numeric, cu.exponent))::numeric(28, 4) AS fraud_amount,
       s.highest_score,
       l.full_date AS last_alert_on,
       s.durable_key
FROM suspect s
CROSS JOIN span
JOIN (SELECT DISTINCT ON (durable_key) durable_key, client_code, country_code, customer_segment, risk_level
      FROM dwh.dim_client
      ORDER BY durable_key, valid_from DESC) n USING (durable_key)
JOIN dwh.dim_currency cu USING (currency_key)
LEFT JOIN active a USING (durable_key, currency_key)
LEFT JOIN dwh.dim_date l ON l.date_key = s.last_alert_key;
CREATE UNIQUE INDEX mv_clients_at_risk_key ON dwh.mv_clients_at_risk (durable_key, currency_code);
CREATE INDEX mv_clients_at_risk_rank ON dwh.mv_clients_at_risk (rank);
COMMENT ON MATERIALIZED VIEW dwh.mv_clients_at_risk IS 'One row a client and currency with an alert or a fraud in the 90 days up to the newest one, the worst first.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.as_of            IS 'Newest day with a transaction: the last of the 90.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.rank             IS 'Place by frauds, then blocked, then alerts, then highest score.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.client_code      IS 'Short code of the client, which names nobody.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.country_code     IS 'Country of the client, or UNKNOWN.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.customer_segment IS 'Segment of the newest version of the client.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.risk_level       IS 'Level of risk of the newest version of the client, as the source tells it.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.currency_code    IS 'Currency of the amount, ISO 4217: a client has a row for each.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.transactions     IS 'Transactions of the client in these days and this currency.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.alerts           IS 'of which in the band review or block.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.blocked          IS 'of which in the band block.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.frauds           IS 'Transactions reported as fraud.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.fraud_amount     IS 'Their amount.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.highest_score    IS 'Highest score of the alerts and frauds; NULL if none was scored.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.last_alert_on    IS 'Day of the newest alert; NULL if there is none.';
COMMENT ON COLUMN dwh.mv_clients_at_risk.durable_key      IS 'Surrogate key of the client.';
