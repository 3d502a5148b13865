-- The highest key that a version of a client has or had: facts in archives may still carry that of one that is gone.
SELECT greatest((SELECT max(client_key) FROM dwh.dim_client), (SELECT max(greatest(old_key, new_key)) FROM ops.restated_range))
