-- Runs that have worked on a piece of work.
SELECT run_id FROM ops.run WHERE work_id = %s
