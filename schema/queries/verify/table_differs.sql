-- Rows of a table of dashboards that were not computed now, and the other way round.
SELECT count(*)
FROM ((TABLE {stored} EXCEPT ALL TABLE {computed}) UNION ALL (TABLE {computed} EXCEPT ALL TABLE {stored})) AS differing
