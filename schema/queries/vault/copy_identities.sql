-- Fill it.
COPY incoming_identity (client_ref, key_id, wrapped_key, identity, as_of) FROM STDIN
