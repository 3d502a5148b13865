-- Sums of a segmentation. Whole months of the year before it were added up; what is left of it at both ends is read from the cells.
INSERT INTO {segment_day} (clients, recency_sum, frequency_sum, monetary_sum, expected_revenue_sum, past_revenue_sum, churn_risk_sum,
                           revenue_at_risk, as_of, segment, country_code, customer_segment, risk_band, currency_code)
WITH client AS MATERIALIZED (
    SELECT durable_key, client_ref, country_code, customer_segment FROM dwh.clients_before(%(as_of)s)
), model AS (
    SELECT m.model_version, m.document -> 'rates' ->> 'reporting' AS reporting, m.document -> 'rates' -> 'rates' AS rates
    FROM ml.segment_model m
    WHERE m.model_version IN (SELECT model_version FROM ml.client_segment WHERE as_of = %(as_of)s)
), factor AS (
    SELECT m.model_version, cu.currency_key, (m.rates ->> cu.currency_code)::numeric / power(10::numeric, cu.exponent) AS factor
    FROM model m
    CROSS JOIN dwh.dim_currency cu
), past AS (
    SELECT p.durable_key, f.model_version, sum(p.commission_minor * f.factor) AS revenue
    FROM (SELECT durable_key, currency_key, commission_minor
          FROM dwh.client_month
          WHERE month >= %(first_month)s AND month < %(end_month)s
          UNION ALL
          SELECT client_durable_key, currency_key, commission_minor
          FROM dwh.fact_daily_client_summary
          WHERE date_key >= %(since)s AND date_key < to_char(%(first_month)s::date, 'YYYYMMDD')::integer
          UNION ALL
          SELECT client_durable_key, currency_key, commission_minor
          FROM dwh.fact_daily_client_summary
          WHERE date_key >= to_char(%(end_month)s::date, 'YYYYMMDD')::integer AND date_key < %(until)s) p
    JOIN factor f USING (currency_key)
    GROUP BY p.durable_key, f.model_version
), member AS (
    SELECT s.*, 1 - s.alive_probability AS risk, coalesce(p.revenue, 0) AS past_revenue, m.reporting, c.country_code, c.customer_segment
    FROM ml.client_segment s
    JOIN client c USING (client_ref)
    JOIN model m USING (model_version)
    LEFT JOIN past p USING (durable_key, model_version)
    WHERE s.as_of = %(as_of)s
)
SELECT count(*), sum(recency), sum(frequency), sum(monetary), coalesce(sum(expected_revenue::numeric), 0), sum(past_revenue),
       coalesce(sum(risk::numeric), 0), coalesce(sum((risk * expected_revenue)::numeric), 0), %(as_of)s, segment, country_code,
       customer_segment,
       CASE WHEN risk IS NULL THEN 'unknown' WHEN risk < 0.3 THEN 'low' WHEN risk < 0.7 THEN 'medium' ELSE 'high' END,
       min(reporting)
FROM member
GROUP BY segment, country_code, customer_segment, 13
