-- How the rows of a file are written and read; known forms are left alone.
INSERT INTO ops.form (feed, digest, form) VALUES (%(feed)s, %(digest)s, %(form)s::jsonb) ON CONFLICT (feed, digest) DO NOTHING
