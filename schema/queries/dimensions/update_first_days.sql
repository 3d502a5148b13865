-- Beneficiaries were seen earlier than was known.
UPDATE dwh.dim_beneficiary b SET first_seen_on = i.seen_on
FROM incoming_first_day i
WHERE b.beneficiary_key = i.beneficiary_key AND i.seen_on < b.first_seen_on
