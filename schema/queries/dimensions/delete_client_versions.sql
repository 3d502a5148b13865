-- Versions that are no more; their facts belong to others.
DELETE FROM dwh.dim_client WHERE client_key = ANY (%s)
