-- The seven schemas and who may enter them.
CREATE SCHEMA staging;
CREATE SCHEMA dwh;
CREATE SCHEMA dwh_parts;
CREATE SCHEMA vault;
CREATE SCHEMA ml;
CREATE SCHEMA audit;

COMMENT ON SCHEMA staging   IS 'Leaves under construction and rows about to be merged; empty between runs.';
COMMENT ON SCHEMA dwh       IS 'The star schema: dimensions, facts, views. What analysts read.';
COMMENT ON SCHEMA dwh_parts IS 'The leaves of partitioned tables. Analysts have no USAGE here: they read through the parents in dwh.';
COMMENT ON SCHEMA vault     IS 'Identity of clients, encrypted with a key for each client.';
COMMENT ON SCHEMA ml        IS 'Labels, scores and segments.';
COMMENT ON SCHEMA audit     IS 'Who read personal data, when and why.';
