-- Versions that changed.
DELETE FROM ops.seen_client s USING changed_client c WHERE s.client_key = c.client_key
