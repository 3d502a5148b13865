-- What the migration ledger itself needs; safe to run again.
CREATE SCHEMA IF NOT EXISTS ops;
CREATE TABLE IF NOT EXISTS ops.migration (
    name       text PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('migration', 'view')),
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS ops.setting (
    name  text PRIMARY KEY,
    value text NOT NULL
);
COMMENT ON SCHEMA ops IS 'The ledger: runs, files, leaves, quarantine.';
COMMENT ON TABLE  ops.migration            IS 'Migrations and repeatable views that this warehouse has, with the checksum of their text.';
COMMENT ON COLUMN ops.migration.name       IS 'File name in schema/, without its folder.';
COMMENT ON COLUMN ops.migration.kind       IS 'migration: applied once, never edited; view: applied again whenever its text changes.';
COMMENT ON COLUMN ops.migration.checksum   IS 'SHA-256 of the text.';
COMMENT ON COLUMN ops.migration.applied_at IS 'When it was applied last.';
COMMENT ON TABLE  ops.setting              IS 'Choices that the stored rows depend on; another key or time zone is refused.';
COMMENT ON COLUMN ops.setting.name         IS 'business_timezone, pseudonym_key_id, vault_key_id, holiday_countries.';
COMMENT ON COLUMN ops.setting.value        IS 'Its value; key ids are fingerprints, never keys.';
