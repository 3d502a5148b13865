-- Segmentations: distribution, lifetime value, migration, risk of churn.
DROP MATERIALIZED VIEW IF EXISTS dwh.mv_rfm_distribution CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_rfm_distribution AS
SELECT d.as_of,
       d.segment,
       n.name    AS segment_name,
       n.name_fr AS segment_name_fr,
       d.country_code,
       d.customer_segment,
       sum(d.clients)::bigint       AS clients,
       sum(d.recency_sum)::bigint   AS recency_sum,
       sum(d.frequency_sum)::bigint AS frequency_sum,
       sum(d.monetary_sum)::numeric(28, 4) AS monetary_sum,
       d.currency_code
FROM dwh.segment_day d
JOIN ml.segment n USING (segment)
GROUP BY d.as_of, d.segment, n.name, n.name_fr, d.country_code, d.customer_segment, d.currency_code;
CREATE UNIQUE INDEX mv_rfm_distribution_key ON dwh.mv_rfm_distribution (as_of, segment, country_code, customer_segment);
COMMENT ON MATERIALIZED VIEW dwh.mv_rfm_distribution IS 'One row a day of segmentation x segment x country x commercial segment: clients and their recency, frequency, value.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.as_of            IS 'Day of the segmentation, exclusive.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.segment          IS 'Number of the segment, 1 is best.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.segment_name     IS 'Its name in English.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.segment_name_fr  IS 'Its name in French.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.country_code     IS 'Country of the client, or UNKNOWN.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.customer_segment IS 'Commercial segment of the client on the eve of as_of.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.clients          IS 'Clients.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.recency_sum      IS 'Sum of days since their last successful transaction; by clients: the mean.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.frequency_sum    IS 'Sum of their successful transactions in 12 months.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.monetary_sum     IS 'Sum of the amounts of those, in the reporting currency.';
COMMENT ON COLUMN dwh.mv_rfm_distribution.currency_code    IS 'Reporting currency.';

DROP MATERIALIZED VIEW IF EXISTS dwh.mv_lifetime_value CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_lifetime_value AS
SELECT d.as_of,
       d.segment,
       n.name    AS segment_name,
       n.name_fr AS segment_name_fr,
       d.country_code,
       d.customer_segment,
       sum(d.clients)::bigint                      AS clients,
       sum(d.expected_revenue_sum)::numeric(28, 4) AS expected_revenue_sum,
       sum(d.past_revenue_sum)::numeric(28, 4)     AS past_revenue_sum,
       d.currency_code
FROM dwh.segment_day d
JOIN ml.segment n USING (segment)
GROUP BY d.as_of, d.segment, n.name, n.name_fr, d.country_code, d.customer_segment, d.currency_code;
CREATE UNIQUE INDEX mv_lifetime_value_key ON dwh.mv_lifetime_value (as_of, segment, country_code, customer_segment);
COMMENT ON MATERIALIZED VIEW dwh.mv_lifetime_value IS 'One row a day of segmentation x segment x country x commercial segment: revenue expected, and revenue had.';
COMMENT ON COLUMN dwh.mv_lifetime_value.as_of                IS 'Day of the segmentation, exclusive.';
COMMENT ON COLUMN dwh.mv_lifetime_value.segment              IS 'Number of the segment, 1 is best.';
COMMENT ON COLUMN dwh.mv_lifetime_value.segment_name         IS 'Its name in English.';
COMMENT ON COLUMN dwh.mv_lifetime_value.segment_name_fr      IS 'Its name in French.';
COMMENT ON COLUMN dwh.mv_lifetime_value.country_code         IS 'Country of the client, or UNKNOWN.';
COMMENT ON COLUMN dwh.mv_lifetime_value.customer_segment     IS 'Commercial segment of the client on the eve of as_of.';
COMMENT ON COLUMN dwh.mv_lifetime_value.clients              IS 'Clients.';
COMMENT ON COLUMN dwh.mv_lifetime_value.expected_revenue_sum IS 'Commission expected in the 12 months after as_of, in the reporting currency.';
COMMENT ON COLUMN dwh.mv_lifetime_value.past_revenue_sum     IS 'Commission of the 12 months before as_of, converted at the rates that the model declares.';
COMMENT ON COLUMN dwh.mv_lifetime_value.currency_code        IS 'Reporting currency.';

DROP MATERIALIZED VIEW IF EXISTS dwh.mv_churn_risk CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_churn_risk AS
SELECT d.as_of,
       d.segment,
       n.name    AS segment_name,
       n.name_fr AS segment_name_fr,
       d.country_code,
       d.customer_segment,
       d.risk_band,
       d.clients,
       d.churn_risk_sum::numeric(28, 6)  AS churn_risk_sum,
       d.revenue_at_risk::numeric(28, 4) AS revenue_at_risk,
       d.currency_code
FROM dwh.segment_day d
JOIN ml.segment n USING (segment);
CREATE UNIQUE INDEX mv_churn_risk_key ON dwh.mv_churn_risk (as_of, segment, country_code, customer_segment, risk_band);
COMMENT ON MATERIALIZED VIEW dwh.mv_churn_risk IS 'One row a day of segmentation x segment x country x commercial segment x risk of churn: clients, and revenue at risk.';
COMMENT ON COLUMN dwh.mv_churn_risk.as_of            IS 'Day of the segmentation, exclusive.';
COMMENT ON COLUMN dwh.mv_churn_risk.segment          IS 'Number of the segment, 1 is best.';
COMMENT ON COLUMN dwh.mv_churn_risk.segment_name     IS 'Its name in English.';
COMMENT ON COLUMN dwh.mv_churn_risk.segment_name_fr  IS 'Its name in French.';
COMMENT ON COLUMN dwh.mv_churn_risk.country_code     IS 'Country of the client, or UNKNOWN.';
COMMENT ON COLUMN dwh.mv_churn_risk.customer_segment IS 'Commercial segment of the client on the eve of as_of.';
COMMENT ON COLUMN dwh.mv_churn_risk.risk_band        IS 'low below 0.3, medium below 0.7, high from there on; unknown where the model says nothing of a client.';
COMMENT ON COLUMN dwh.mv_churn_risk.clients          IS 'Clients.';
COMMENT ON COLUMN dwh.mv_churn_risk.churn_risk_sum   IS 'Sum of their risks of churn (1 - alive_probability): how many of them are expected to leave.';
COMMENT ON COLUMN dwh.mv_churn_risk.revenue_at_risk  IS 'Sum of risk of churn x revenue expected in 12 months, in the reporting currency.';
COMMENT ON COLUMN dwh.mv_churn_risk.currency_code    IS 'Reporting currency.';

DROP MATERIALIZED VIEW IF EXISTS dwh.mv_segment_migration CASCADE;
CREATE MATERIALIZED VIEW dwh.mv_segment_migration AS
WITH named AS (
    SELECT segment, name, name_fr FROM ml.segment
    UNION ALL
    VALUES (0::smallint, 'None', 'Aucun')
)
SELECT m.from_as_of,
       m.to_as_of,
       m.from_segment,
       f.name    AS from_segment_name,
       f.name_fr AS from_segment_name_fr,
       m.to_segment,
       t.name    AS to_segment_name,
       t.name_fr AS to_segment_name_fr,
       m.country_code,
       m.customer_segment,
       m.clients,
       m.is_refit
FROM dwh.segment_move m
JOIN named f ON f.segment = m.from_segment
JOIN named t ON t.segment = m.to_segment;
CREATE UNIQUE INDEX mv_segment_migration_key
    ON dwh.mv_segment_migration (to_as_of, from_segment, to_segment, country_code, customer_segment);
COMMENT ON MATERIALIZED VIEW dwh.mv_segment_migration IS 'One row two successive days of segmentation x segments x country x commercial segment: clients who went from one segment to the other.';
COMMENT ON COLUMN dwh.mv_segment_migration.from_as_of           IS 'The earlier day.';
COMMENT ON COLUMN dwh.mv_segment_migration.to_as_of             IS 'The later day.';
COMMENT ON COLUMN dwh.mv_segment_migration.from_segment         IS 'Segment on the earlier day; 0 for clients who had none yet.';
COMMENT ON COLUMN dwh.mv_segment_migration.from_segment_name    IS 'Its name in English.';
COMMENT ON COLUMN dwh.mv_segment_migration.from_segment_name_fr IS 'Its name in French.';
COMMENT ON COLUMN dwh.mv_segment_migration.to_segment           IS 'Segment on the later day; 0 for clients who have none any more.';
COMMENT ON COLUMN dwh.mv_segment_migration.to_segment_name      IS 'Its name in English.';
COMMENT ON COLUMN dwh.mv_segment_migration.to_segment_name_fr   IS 'Its name in French.';
COMMENT ON COLUMN dwh.mv_segment_migration.country_code         IS 'Country of the client, or UNKNOWN.';
COMMENT ON COLUMN dwh.mv_segment_migration.customer_segment     IS 'Commercial segment of the client on the eve of the later day.';
COMMENT ON COLUMN dwh.mv_segment_migration.clients              IS 'Clients.';
COMMENT ON COLUMN dwh.mv_segment_migration.is_refit             IS 'The two days have different models: a client may have moved without having changed.';
