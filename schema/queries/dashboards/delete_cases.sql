-- Cases that will be made again.
DELETE FROM {fraud_case} c USING case_id i WHERE c.transaction_id = i.transaction_id
