-- What a segment is called, means and leads to.
INSERT INTO ml.segment (segment, name, name_fr, meaning, meaning_fr, action, action_fr)
VALUES (%(number)s, %(name)s, %(name_fr)s, %(meaning)s, %(meaning_fr)s, %(action)s, %(action_fr)s)
ON CONFLICT (segment) DO UPDATE
SET name = excluded.name, name_fr = excluded.name_fr, meaning = excluded.meaning, meaning_fr = excluded.meaning_fr,
    action = excluded.action, action_fr = excluded.action_fr
