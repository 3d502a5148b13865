-- Object audit: whoever reads what `auditor` may read leaves a line in the server's log. `cauri init` grants it the vault.
CREATE EXTENSION pgaudit;
CREATE ROLE auditor NOLOGIN;
