-- Stretches that moved, one row a cell of the daily summary that may lose facts.
CREATE TEMPORARY TABLE restated_cell (
    old_key integer NOT NULL, new_key integer NOT NULL, begins timestamptz NOT NULL, ends timestamptz NOT NULL,
    date_key integer NOT NULL, service_key smallint NOT NULL
) ON COMMIT DROP
