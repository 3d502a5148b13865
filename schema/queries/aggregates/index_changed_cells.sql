-- Each leaf finds its cells among those of all.
CREATE INDEX ON changed_cell (date_key)
