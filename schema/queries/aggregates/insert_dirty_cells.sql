-- Those cells from their facts; engine/cells.py computes the same for whole leaves. OFFSET makes it look the facts of a client and day up
-- by their index: of a leaf that has many more no other is read.
WITH came AS (
    INSERT INTO dwh.fact_daily_client_summary
        (amount_minor, success_amount_minor, commission_minor, processing_ms_sum, date_key, client_key, client_durable_key, transactions, successes,
         failures, pendings, reversals, processing_ms_count, distinct_beneficiaries, anomalies, service_key, currency_key)
    SELECT sum(f.amount_minor),
           coalesce(sum(f.amount_minor) FILTER (WHERE f.status_key = 1), 0),
           coalesce(sum(f.commission_minor) FILTER (WHERE f.status_key = 1), 0),
           coalesce(sum(f.processing_ms), 0),
           f.date_key,
           f.client_key,
           min(f.durable_key),
           count(*),
           count(*) FILTER (WHERE f.status_key = 1),
           count(*) FILTER (WHERE f.status_key = 2),
           count(*) FILTER (WHERE f.status_key = 3),
           count(*) FILTER (WHERE f.status_key = 4),
           count(f.processing_ms),
           count(DISTINCT f.beneficiary_key) FILTER (WHERE f.beneficiary_key <> 0),
           count(*) FILTER (WHERE f.anomaly_flags <> 0),
           f.service_key,
           f.currency_key
    FROM (SELECT r.date_key, r.client_key, min(c.durable_key) AS durable_key, array_agg(r.service_key) AS services
          FROM ops.dirty_range r
          JOIN dwh.dim_client c USING (client_key)
          WHERE r.date_key = ANY (%(days)s::integer[])
          GROUP BY r.date_key, r.client_key) AS dirty
    CROSS JOIN LATERAL (SELECT f.*, dirty.durable_key
                        FROM dwh.fact_transactions f
                        WHERE f.date_key = ANY (%(days)s::integer[])
                          AND f.date_key = dirty.date_key AND f.client_key = dirty.client_key
                          AND f.service_key = ANY (dirty.services)
                        OFFSET 0) AS f
    GROUP BY f.date_key, f.client_key, f.service_key, f.currency_key
    RETURNING success_amount_minor, commission_minor, processing_ms_sum, processing_ms_count, transactions, successes, failures,
              client_durable_key, tableoid, date_key, currency_key
)
INSERT INTO changed_cell
SELECT came.*, 1 FROM came
