-- Cells of some days that will be computed again.
WITH gone AS (
    DELETE FROM dwh.fact_daily_client_summary s
    USING ops.dirty_range r
    WHERE s.date_key = ANY (%(days)s::integer[]) AND r.date_key = ANY (%(days)s::integer[])
      AND s.date_key = r.date_key AND s.client_key = r.client_key AND s.service_key = r.service_key
    RETURNING s.success_amount_minor, s.commission_minor, s.processing_ms_sum, s.processing_ms_count, s.transactions, s.successes,
              s.failures, s.client_durable_key, s.tableoid, s.date_key, s.currency_key
)
INSERT INTO changed_cell
SELECT gone.*, -1 FROM gone
