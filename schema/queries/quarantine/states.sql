-- Whether rows of quarantine are open.
SELECT quarantine_id, state FROM ops.quarantine WHERE quarantine_id = ANY (%s)
