-- The identity of the latest row wins; of one moment, as in the history, the one that came last.
INSERT INTO vault.client_identity (client_ref, key_id, wrapped_key, identity, as_of)
SELECT client_ref, key_id, wrapped_key, identity, as_of FROM incoming_identity
ON CONFLICT (client_ref) DO UPDATE
SET key_id = excluded.key_id, wrapped_key = excluded.wrapped_key, identity = excluded.identity, as_of = excluded.as_of,
    recorded_at = now()
WHERE client_identity.as_of <= excluded.as_of
