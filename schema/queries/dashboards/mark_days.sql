-- Days that changed, and whether more of them than their scores did.
INSERT INTO ops.stale_day (date_key, facts)
SELECT DISTINCT unnest(%(days)s::integer[]), %(facts)s::boolean
ON CONFLICT (date_key) DO UPDATE SET facts = stale_day.facts OR excluded.facts
