-- Refused rows that nobody has resolved.
SELECT count(*) AS rows FROM ops.quarantine WHERE state = 'open'
