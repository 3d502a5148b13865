-- Refused rows; the same row of the same file, read in the same way, is refused once.
INSERT INTO ops.quarantine (run_id, content_hash, file_name, feed, contract, form_id, row_number, reasons, payload, client_ref)
SELECT %s, content_hash, file_name, feed, contract, form_id, row_number, string_to_array(reasons, ','), payload, client_ref
FROM incoming_refused
ON CONFLICT (content_hash, feed, contract, row_number) DO NOTHING
