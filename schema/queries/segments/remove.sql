-- A day is segmented anew.
DELETE FROM ml.client_segment WHERE as_of = %s
