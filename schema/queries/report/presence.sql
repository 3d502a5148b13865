-- What there is to show, whether or not the views have taken it up.
SELECT EXISTS (SELECT FROM dwh.fact_transactions)              AS transactions,
       EXISTS (SELECT FROM ml.fraud_label)                     AS labels,
       EXISTS (SELECT FROM ml.fraud_score)                     AS scores,
       EXISTS (SELECT FROM ml.client_segment)                  AS segments,
       (SELECT min(as_of) < max(as_of) FROM ml.client_segment) AS moves
