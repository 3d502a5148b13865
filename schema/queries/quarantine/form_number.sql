-- The number of a form.
SELECT form_id FROM ops.form WHERE feed = %(feed)s AND digest = %(digest)s
