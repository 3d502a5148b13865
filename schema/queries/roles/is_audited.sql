-- Whether the server has the role whose reading is audited.
SELECT to_regrole('auditor') IS NOT NULL
