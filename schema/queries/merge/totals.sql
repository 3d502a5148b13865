-- Control totals: what stands in the leaf of some days now of the rows that were to be written. OFFSET makes it look up each by its id:
-- a leaf that has many more rows is not read for them.
SELECT count(*), coalesce(sum(f.amount_minor), 0)::text, coalesce(sum(f.commission_minor), 0)::text
FROM incoming_fact i
CROSS JOIN LATERAL (SELECT f.amount_minor, f.commission_minor, f.source_updated_at
                    FROM dwh.fact_transactions f
                    WHERE f.date_key = ANY (%(days)s::integer[]) AND f.date_key = i.date_key AND f.transaction_id = i.transaction_id
                    OFFSET 0) AS f
WHERE i.date_key = ANY (%(days)s::integer[])
  AND f.amount_minor = i.amount_minor AND f.commission_minor = i.commission_minor
  AND f.source_updated_at = i.source_updated_at
