-- The access log in leaves, like the facts, and which leaves are held although their time is over.
CREATE TABLE ops.leaf_hold (
    table_name  text NOT NULL,
    leaf        text NOT NULL,
    until       date NOT NULL,
    reason      text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, leaf)
);
COMMENT ON TABLE  ops.leaf_hold             IS 'One row a leaf that stays although its retention has passed: restored leaves are held for whoever asked for them.';
COMMENT ON COLUMN ops.leaf_hold.table_name  IS 'Partitioned table, with its schema.';
COMMENT ON COLUMN ops.leaf_hold.leaf        IS 'Name of the leaf, without a schema.';
COMMENT ON COLUMN ops.leaf_hold.until       IS 'First day on which the leaf may go.';
COMMENT ON COLUMN ops.leaf_hold.reason      IS 'Why it is held.';
COMMENT ON COLUMN ops.leaf_hold.recorded_at IS 'When the hold was set.';

ALTER TABLE audit.access_log RENAME TO access_log_whole;
ALTER INDEX audit.access_log_pkey RENAME TO access_log_whole_pkey;
ALTER SEQUENCE audit.access_log_access_id_seq RENAME TO access_log_whole_access_id_seq;

CREATE TABLE audit.access_log (
    access_id   bigint GENERATED ALWAYS AS IDENTITY,
    accessed_at timestamptz NOT NULL DEFAULT now(),
    who         text  NOT NULL DEFAULT session_user,
    object      text  NOT NULL,
    purpose     text  NOT NULL,
    client_ref  bytea,
    PRIMARY KEY (access_id, accessed_at)
) PARTITION BY RANGE (accessed_at);
COMMENT ON TABLE  audit.access_log             IS 'One row an access to personal data.';
COMMENT ON COLUMN audit.access_log.access_id   IS 'Number of the access.';
COMMENT ON COLUMN audit.access_log.accessed_at IS 'When; partition key.';
COMMENT ON COLUMN audit.access_log.who         IS 'Login that read.';
COMMENT ON COLUMN audit.access_log.object      IS 'What was read.';
COMMENT ON COLUMN audit.access_log.purpose     IS 'Why, as stated by the reader.';
COMMENT ON COLUMN audit.access_log.client_ref  IS 'Client concerned, where it is one.';

-- Rows and rights that the table had: a leaf for each month that has rows, in the zone that the warehouse is bound to.
DO $$
DECLARE
    zone text := coalesce((SELECT value FROM ops.setting WHERE name = 'business_timezone'), 'UTC');
    month timestamp;
    granted record;
BEGIN
    FOR month IN SELECT DISTINCT date_trunc('month', accessed_at AT TIME ZONE zone) FROM audit.access_log_whole LOOP
        EXECUTE format(
            'CREATE TABLE dwh_parts.%I PARTITION OF audit.access_log FOR VALUES FROM (%L) TO (%L)',
            to_char(month, '"access_log_"YYYY_MM'), month AT TIME ZONE zone, (month + interval '1 month') AT TIME ZONE zone
        );
    END LOOP;
    INSERT INTO audit.access_log OVERRIDING SYSTEM VALUE SELECT * FROM audit.access_log_whole;
    PERFORM setval(
        pg_get_serial_sequence('audit.access_log', 'access_id'),
        nextval(pg_get_serial_sequence('audit.access_log_whole', 'access_id')),
        false
    );
    FOR granted IN
        SELECT a.privilege_type, a.is_grantable, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = 'audit.access_log_whole'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format(
            'GRANT %s ON audit.access_log TO %s%s',
            granted.privilege_type, granted.role, CASE WHEN granted.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        );
    END LOOP;
END $$;
DROP TABLE audit.access_log_whole;
