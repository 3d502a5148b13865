#!/bin/sh
# Makes the passwords and keys of the compose stack that do not exist yet, each in a file of its own.
set -eu

folder=${1:-$(dirname "$0")/secrets}
# Containers run as other users, and read the files; who may not enter the folder on this machine, may not.
umask 022
mkdir -p "$folder"
chmod 700 "$folder"

keep() {
    if [ -s "$folder/$1" ]; then
        return
    fi
    # Whole or not at all: a half-written key would be used for ever.
    cat > "$folder/.$1.new"
    mv "$folder/.$1.new" "$folder/$1"
    echo "made $folder/$1"
}

random() { od -An -N "$1" -t x1 /dev/urandom | tr -d ' \n'; }

for name in postgres_password etl_password analyst_password metabase_password metabase_key pgadmin_password \
    jupyter_token; do
    random 24 | keep "$name"
done
# Metabase wants letters of both cases and a digit.
printf 'Cauri-%s' "$(random 16)" | keep metabase_admin_password
for name in pseudonym_key vault_key; do
    head -c 32 /dev/urandom | base64 | tr -d '\n' | keep "$name"
done
database=${POSTGRES_DB:-cauri}
for user in etl analyst; do
    printf 'postgresql://%s:%s@postgres:5432/%s' "$user" "$(cat "$folder/${user}_password")" "$database" | keep "${user}_url"
done
printf 'postgres:5432:*:analyst:%s\n' "$(cat "$folder/analyst_password")" | keep pgadmin_pgpass

echo "Secrets are in $folder; keep a copy of pseudonym_key and vault_key: docs/operations.md says why."
