-- Rows of quarantine that were replayed; of those that were refused again, the reasons.
CREATE TEMPORARY TABLE replayed_row (
    quarantine_id bigint, form_id bigint, correction bytea, correction_ref bytea, reasons text
) ON COMMIT DROP
