-- Owner and comment of a table.
SELECT pg_get_userbyid(c.relowner), obj_description(c.oid, 'pg_class') FROM pg_class c WHERE c.oid = %s::regclass
