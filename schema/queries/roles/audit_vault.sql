-- Let pgaudit log every reading of the vault: it logs what this role, which nobody is, may read.
GRANT SELECT ON ALL TABLES IN SCHEMA vault TO auditor
