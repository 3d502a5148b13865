-- Days of leaves that came or went.
INSERT INTO ops.stale_day (date_key, facts)
SELECT d.date_key, bool_or(l.facts)
FROM ((SELECT leaf_oid, first_key, end_key, facts FROM ops.attached_leaf EXCEPT SELECT leaf_oid, first_key, end_key, facts FROM ops.seen_leaf)
      UNION ALL
      (SELECT leaf_oid, first_key, end_key, facts FROM ops.seen_leaf EXCEPT SELECT leaf_oid, first_key, end_key, facts FROM ops.attached_leaf)) l
JOIN dwh.dim_date d ON d.date_key >= l.first_key AND d.date_key < l.end_key
GROUP BY d.date_key
ON CONFLICT (date_key) DO UPDATE SET facts = stale_day.facts OR excluded.facts
