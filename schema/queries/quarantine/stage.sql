-- Refused rows on their way into quarantine.
CREATE TEMPORARY TABLE incoming_refused (row_number bigint, reasons text, payload bytea, client_ref bytea)
