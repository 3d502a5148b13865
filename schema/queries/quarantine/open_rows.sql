-- Refused rows that nobody has dealt with yet.
SELECT file_name, feed, row_number, reasons, payload
FROM ops.quarantine
WHERE state = 'open'
ORDER BY file_name, feed, row_number
LIMIT %s
