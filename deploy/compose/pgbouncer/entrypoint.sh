#!/bin/sh
# Who may pass, from the secret; then the pooler. PgBouncer needs the password itself to log in to the server by SCRAM.
set -eu
umask 077
folder=${PGBOUNCER_FOLDER:-/run/pgbouncer}
password=$(cat "${SECRETS_FOLDER:-/run/secrets}/analyst_password")
if [ -z "$password" ]; then
    echo "pgbouncer: the secret analyst_password is empty" >&2
    exit 2
fi
printf '"analyst" "%s"\n' "$password" > "$folder/userlist.txt"
exec pgbouncer "${PGBOUNCER_CONFIG:-/etc/pgbouncer/pgbouncer.ini}"
