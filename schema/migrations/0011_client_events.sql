-- What the warehouse was told of clients, so that their history depends on what was told and not on when; and which facts
-- were pointed at another version because of it.
CREATE TABLE ops.client_event (
    event_id         bigint      PRIMARY KEY,
    client_ref       bytea       NOT NULL,
    effective_at     timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    is_deleted       boolean     NOT NULL,
    customer_segment text,
    company_size     text,
    risk_level       text,
    sector           text,
    country_code     text,
    city             text,
    kyc_level        smallint,
    onboarded_on     date,
    run_id           bigint      REFERENCES ops.run,
    recorded_at      timestamptz NOT NULL,
    CHECK (is_deleted OR num_nulls(customer_segment, company_size, risk_level) = 0)
);
-- One row a told thing. The attributes are hashed, because together they can be too long for an index.
CREATE UNIQUE INDEX client_event_told_once ON ops.client_event
    (client_ref, effective_at, updated_at, is_deleted,
     hash_record_extended(ROW (customer_segment, company_size, risk_level, sector, country_code, city, kyc_level, onboarded_on), 0));
COMMENT ON TABLE  ops.client_event                  IS 'One row a different thing that was told of a client; dwh.dim_client follows from these rows alone. The same told again adds none.';
COMMENT ON COLUMN ops.client_event.event_id         IS 'Order in which the warehouse was told: run, file, row.';
COMMENT ON COLUMN ops.client_event.client_ref       IS 'Pseudonym of the client.';
COMMENT ON COLUMN ops.client_event.effective_at     IS 'Effective time: from when it is true.';
COMMENT ON COLUMN ops.client_event.updated_at       IS 'When the source last changed the row. Of several events of one client and moment the newest counts, then the one told last.';
COMMENT ON COLUMN ops.client_event.is_deleted       IS 'The client ceased to be one; its attributes are NULL then.';
COMMENT ON COLUMN ops.client_event.customer_segment IS 'Commercial segment.';
COMMENT ON COLUMN ops.client_event.company_size     IS 'MICRO, SMALL, MEDIUM, LARGE.';
COMMENT ON COLUMN ops.client_event.risk_level       IS 'LOW, MEDIUM, HIGH.';
COMMENT ON COLUMN ops.client_event.sector           IS 'Sector of activity; NULL if it was not told.';
COMMENT ON COLUMN ops.client_event.country_code     IS 'ISO 3166 alpha-2; NULL if it was not told.';
COMMENT ON COLUMN ops.client_event.city             IS 'City; NULL if it was not told.';
COMMENT ON COLUMN ops.client_event.kyc_level        IS 'Know-your-customer level 0-3; NULL if it was not told.';
COMMENT ON COLUMN ops.client_event.onboarded_on     IS 'Day on which the client joined; NULL if it was not told.';
COMMENT ON COLUMN ops.client_event.run_id           IS 'Run that was told; NULL if it was before events were kept.';
COMMENT ON COLUMN ops.client_event.recorded_at      IS 'Recorded time: when the warehouse was told.';

-- A warehouse from before: its versions are all that it remembers.
INSERT INTO ops.client_event
SELECT row_number() OVER (ORDER BY client_key), client_ref, valid_from, valid_from, false, customer_segment, company_size,
       risk_level, sector, country_code, city, kyc_level, onboarded_on, NULL, recorded_at
FROM dwh.dim_client
WHERE NOT is_inferred;

CREATE TABLE ops.restated_range (
    run_id     bigint      NOT NULL REFERENCES ops.run,
    client_ref bytea       NOT NULL,
    old_key    integer     NOT NULL,
    new_key    integer     NOT NULL,
    begins     timestamptz NOT NULL,
    ends       timestamptz,
    PRIMARY KEY (run_id, old_key, begins)
);
CREATE INDEX restated_range_old_key ON ops.restated_range (old_key);
COMMENT ON TABLE  ops.restated_range            IS 'Stretches of a client''s history that came to belong to another version; the facts in them were pointed at it in the same transaction.';
COMMENT ON COLUMN ops.restated_range.run_id     IS 'Run that learned of it.';
COMMENT ON COLUMN ops.restated_range.client_ref IS 'Pseudonym of the client.';
COMMENT ON COLUMN ops.restated_range.old_key    IS 'Version to which the facts belonged. It may be gone from dwh.dim_client.';
COMMENT ON COLUMN ops.restated_range.new_key    IS 'Version to which they belong since.';
COMMENT ON COLUMN ops.restated_range.begins     IS 'Effective time: begin of the stretch, inclusive.';
COMMENT ON COLUMN ops.restated_range.ends       IS 'Effective time: end of the stretch, exclusive; NULL for ever.';
