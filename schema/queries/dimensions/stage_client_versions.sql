-- Changed versions of clients on their way into dim_client.
CREATE TEMPORARY TABLE client_version (LIKE dwh.dim_client) ON COMMIT DROP
