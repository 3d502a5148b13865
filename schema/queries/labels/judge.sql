-- What the warehouse makes of labels of transactions that have one already.
SELECT i.transaction_id,
       CASE WHEN i.reported_at > l.reported_at THEN 'updated'
            WHEN i.reported_at = l.reported_at AND i.is_fraud <> l.is_fraud THEN 'conflict'
            ELSE 'repeated' END AS verdict
FROM incoming_label i
JOIN ml.fraud_label l USING (transaction_id)
