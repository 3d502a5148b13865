-- Moves to a day that will be counted again.
DELETE FROM dwh.segment_move WHERE to_as_of = %s
