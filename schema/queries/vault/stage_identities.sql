-- Sealed identities on their way into the vault.
CREATE TEMPORARY TABLE incoming_identity (client_ref bytea, key_id text, wrapped_key bytea, identity bytea, as_of timestamptz) ON COMMIT DROP
