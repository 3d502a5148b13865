-- Refused rows on their way into quarantine.
CREATE TEMPORARY TABLE incoming_refused (
    content_hash text, file_name text, feed text, contract text, form_id bigint, row_number bigint, reasons text, payload bytea,
    client_ref bytea
) ON COMMIT DROP
