-- Totals of each day from the daily summary, kept up to date cell by cell: the key figures then cost what changed, not all there is.
CREATE INDEX dim_client_durable ON dwh.dim_client (durable_key);

CREATE TABLE ops.totalled_leaf (
    leaf_oid oid  PRIMARY KEY,
    leaf     text NOT NULL
);
COMMENT ON TABLE  ops.totalled_leaf          IS 'Leaves of the daily summary whose cells are in ops.day_total. A leaf that is not here is added up whole by step 8.';
COMMENT ON COLUMN ops.totalled_leaf.leaf_oid IS 'The table that the leaf is; another of the same name is another.';
COMMENT ON COLUMN ops.totalled_leaf.leaf     IS 'Its name: after a dump and its restoration the number may be that of another leaf.';

CREATE TABLE ops.day_total (
    success_amount_minor numeric NOT NULL,
    commission_minor     numeric NOT NULL,
    processing_ms_sum    numeric NOT NULL,
    processing_ms_count  bigint  NOT NULL,
    transactions         bigint  NOT NULL,
    successes            bigint  NOT NULL,
    failures             bigint  NOT NULL,
    active_clients       bigint  NOT NULL,
    leaf_oid             oid     NOT NULL REFERENCES ops.totalled_leaf ON DELETE CASCADE,
    date_key             integer NOT NULL,
    currency_key         smallint NOT NULL,
    PRIMARY KEY (leaf_oid, date_key, currency_key)
);
COMMENT ON TABLE  ops.day_total                      IS 'The daily summary by day and currency, as dwh.mv_daily_kpi shows it.';
COMMENT ON COLUMN ops.day_total.success_amount_minor IS 'Sum of amounts of successful transactions, in minor units.';
COMMENT ON COLUMN ops.day_total.commission_minor     IS 'Sum of commissions of successful transactions, in minor units.';
COMMENT ON COLUMN ops.day_total.processing_ms_sum    IS 'Sum of processing times, in milliseconds.';
COMMENT ON COLUMN ops.day_total.processing_ms_count  IS 'Transactions with a processing time.';
COMMENT ON COLUMN ops.day_total.transactions         IS 'Transactions.';
COMMENT ON COLUMN ops.day_total.successes            IS 'Successful transactions.';
COMMENT ON COLUMN ops.day_total.failures             IS 'Failed transactions.';
COMMENT ON COLUMN ops.day_total.active_clients       IS 'Clients with a transaction, whatever its status.';
COMMENT ON COLUMN ops.day_total.leaf_oid             IS 'Leaf of the daily summary that holds the day.';
COMMENT ON COLUMN ops.day_total.date_key             IS 'Day.';
COMMENT ON COLUMN ops.day_total.currency_key         IS 'Currency.';

INSERT INTO ops.totalled_leaf
SELECT t.relid, c.relname
FROM pg_partition_tree('dwh.fact_daily_client_summary') t
JOIN pg_class c ON c.oid = t.relid
WHERE t.isleaf;

INSERT INTO ops.day_total
SELECT sum(s.success_amount_minor), sum(s.commission_minor), sum(s.processing_ms_sum), sum(s.processing_ms_count), sum(s.transactions),
       sum(s.successes), sum(s.failures), count(DISTINCT s.client_durable_key), s.tableoid, s.date_key, s.currency_key
FROM dwh.fact_daily_client_summary s
JOIN ops.totalled_leaf l ON l.leaf_oid = s.tableoid
GROUP BY s.tableoid, s.date_key, s.currency_key;
