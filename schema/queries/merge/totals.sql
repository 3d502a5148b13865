-- Control totals: what stands in the fact now of the rows that were to be written.
SELECT count(*), coalesce(sum(f.amount_minor), 0)::text, coalesce(sum(f.commission_minor), 0)::text
FROM incoming_fact i
JOIN dwh.fact_transactions f
  ON f.date_key = i.date_key AND f.transaction_id = i.transaction_id
 AND f.amount_minor = i.amount_minor AND f.commission_minor = i.commission_minor
 AND f.source_updated_at = i.source_updated_at
