-- Rows of a materialized view that its definition does not give now, and the other way round.
SELECT count(*)
FROM ((SELECT * FROM {view} EXCEPT ALL ({definition})) UNION ALL (({definition}) EXCEPT ALL SELECT * FROM {view})) AS differing
