-- Cells as they were (sign -1) and as they are now (sign 1).
CREATE TEMPORARY TABLE changed_cell (
    success_amount_minor bigint NOT NULL, commission_minor bigint NOT NULL, processing_ms_sum bigint NOT NULL,
    processing_ms_count integer NOT NULL, transactions integer NOT NULL, successes integer NOT NULL, failures integer NOT NULL,
    client_durable_key integer NOT NULL, leaf_oid oid NOT NULL, date_key integer NOT NULL, currency_key smallint NOT NULL,
    sign smallint NOT NULL
) ON COMMIT DROP
