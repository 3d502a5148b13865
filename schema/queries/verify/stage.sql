-- Cells that were found to differ.
CREATE TEMP TABLE differing_cell (date_key integer, client_key integer, service_key smallint) ON COMMIT DROP
