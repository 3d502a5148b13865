-- Days that may have facts to restate.
SELECT DISTINCT date_key FROM restated_cell
