-- Roles of the warehouse, made once, when the server's volume is empty. Rights on tables follow with the schema itself:
-- `cauri init` grants analyst_role what the views read (warehouse/rights.py).
\set etl_password `cat "${SECRETS_FOLDER:-/run/secrets}/etl_password"`
\set analyst_password `cat "${SECRETS_FOLDER:-/run/secrets}/analyst_password"`
\set metabase_password `cat "${SECRETS_FOLDER:-/run/secrets}/metabase_password"`

SELECT least(length(:'etl_password'), length(:'analyst_password'), length(:'metabase_password')) < 16 AS is_weak \gset
\if :is_weak
DO $$ BEGIN RAISE EXCEPTION 'a password of etl, analyst or metabase is missing or shorter than 16 characters'; END $$;
\endif

-- Owners and readers have no login: people and programs come and go as members.
CREATE ROLE etl_role NOLOGIN;
CREATE ROLE analyst_role NOLOGIN;

CREATE ROLE etl LOGIN PASSWORD :'etl_password' IN ROLE etl_role;
-- What it makes belongs to etl_role, not to the login.
ALTER ROLE etl SET role = 'etl_role';

CREATE ROLE analyst LOGIN PASSWORD :'analyst_password' IN ROLE analyst_role;
ALTER ROLE analyst SET default_transaction_read_only = on;
ALTER ROLE analyst SET statement_timeout = '60s';
ALTER ROLE analyst SET idle_in_transaction_session_timeout = '5min';
ALTER ROLE analyst SET search_path = dwh;

ALTER DATABASE :"DBNAME" OWNER TO etl_role;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO analyst_role, etl_role;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- Metabase keeps its own questions, users and settings apart from the warehouse.
CREATE ROLE metabase LOGIN PASSWORD :'metabase_password';
CREATE DATABASE metabase OWNER metabase;
REVOKE ALL ON DATABASE metabase FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
