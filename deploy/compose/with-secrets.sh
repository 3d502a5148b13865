#!/bin/sh
# Runs a command with variables from secrets: NAME_FILE=path becomes NAME=content. Neither `docker inspect` nor a list of
# processes shows them.
set -eu

# Images set other variables of this form, for files that are no secrets.
for name in $(env | sed -n 's/^\([A-Z][A-Z0-9_]*\)_FILE=\/run\/secrets\/.*/\1/p'); do
    path=$(printenv "${name}_FILE")
    if [ ! -s "$path" ]; then
        echo "with-secrets: $path is missing or empty; \`just compose-secrets\` makes it" >&2
        exit 2
    fi
    export "$name=$(cat "$path")"
    unset "${name}_FILE"
done

exec "$@"
