-- How files were read.
SELECT form_id, form FROM ops.form
