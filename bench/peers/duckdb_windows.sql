-- The windows of bench/windows.py: [t - n days, t) of the client and of the beneficiary.
CREATE OR REPLACE TEMP TABLE found AS
SELECT
    transaction_id,
    count(*) OVER client_1d AS count_1d,
    sum(amount_minor) OVER client_1d AS sum_1d,
    stddev_samp(amount_minor) OVER client_1d AS deviation_1d,
    count(*) OVER client_7d AS count_7d,
    sum(amount_minor) OVER client_7d AS sum_7d,
    stddev_samp(amount_minor) OVER client_7d AS deviation_7d,
    count(*) OVER client_30d AS count_30d,
    sum(amount_minor) OVER client_30d AS sum_30d,
    stddev_samp(amount_minor) OVER client_30d AS deviation_30d,
    count(DISTINCT beneficiary) OVER client_7d AS distinct_7d,
    count(*) OVER beneficiary_1d AS beneficiary_count_1d,
    count(*) OVER beneficiary_7d AS beneficiary_count_7d,
    count(*) OVER beneficiary_30d AS beneficiary_count_30d
FROM read_parquet(getvariable('source'))
WINDOW
    client_1d AS (
        PARTITION BY client ORDER BY transaction_ts
        RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
    ),
    client_7d AS (
        PARTITION BY client ORDER BY transaction_ts
        RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
    ),
    client_30d AS (
        PARTITION BY client ORDER BY transaction_ts
        RANGE BETWEEN INTERVAL 30 DAY PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
    ),
    beneficiary_1d AS (
        PARTITION BY beneficiary ORDER BY transaction_ts
        RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
    ),
    beneficiary_7d AS (
        PARTITION BY beneficiary ORDER BY transaction_ts
        RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
    ),
    beneficiary_30d AS (
        PARTITION BY beneficiary ORDER BY transaction_ts
        RANGE BETWEEN INTERVAL 30 DAY PRECEDING AND INTERVAL 1 MICROSECOND PRECEDING
    )
