#!/bin/sh
# The server's settings from its memory and cores, by the formulas of warehouse/server_settings.py (a test compares
# them); then the entry of the image. `--print` shows them. Sizes are kB.
set -eu

fail() {
    echo "postgres settings: $1" >&2
    exit 64
}

kilobytes() {
    number=${1%%[!0-9]*}
    unit=${1#"$number"}
    if [ -z "$number" ] || [ "${#number}" -gt 6 ]; then
        fail "POSTGRES_MEMORY is '$1'; write it like 4g or 512m"
    fi
    case $unit in
        m | M | [mM][bB] | [mM][iI][bB]) echo $((number * 1024)) ;;
        g | G | [gG][bB] | [gG][iI][bB]) echo $((number * 1024 * 1024)) ;;
        *) fail "POSTGRES_MEMORY is '$1'; write it like 4g or 512m" ;;
    esac
}

clamp() {
    if [ "$1" -lt "$2" ]; then
        echo "$2"
    elif [ "$1" -gt "$3" ]; then
        echo "$3"
    else
        echo "$1"
    fi
}

settings() {
    memory=$1 cores=$2
    mb=1024 gb=1048576
    index_build=$(clamp $((memory / 8 / cores)) $((16 * mb)) $((2 * gb)))
    echo "shared_buffers=$(clamp $((memory / 4)) $((32 * mb)) $((8 * gb)))kB"
    echo "effective_cache_size=$((memory / 2))kB"
    echo "maintenance_work_mem=${index_build}kB"
    echo "autovacuum_work_mem=$(clamp "$index_build" 0 $((256 * mb)))kB"
    echo "work_mem=$(clamp $((memory / 256)) $((8 * mb)) $((256 * mb)))kB"
    echo "max_wal_size=$(clamp $((memory / 4)) "$gb" $((8 * gb)))kB"
    echo "checkpoint_timeout=15min"
    echo "wal_buffers=$(clamp $((memory / 128)) $((4 * mb)) $((64 * mb)))kB"
    echo "random_page_cost=1.1"
    echo "jit=off"
    echo "max_parallel_workers_per_gather=$(clamp $((cores / 2)) 1 8)"
    echo "max_parallel_maintenance_workers=$(clamp $((cores / 4)) 0 4)"
    echo "max_connections=$((40 + 4 * cores))"
    echo "max_worker_processes=$(clamp $((cores + 4)) 8 1024)"
    echo "max_parallel_workers=$(clamp "$cores" 2 1024)"
    echo "max_locks_per_transaction=1024"
    # No row value may enter a log.
    echo "log_min_error_statement=panic"
    echo "log_error_verbosity=terse"
    echo "log_parameter_max_length=0"
    echo "log_min_duration_statement=-1"
}

memory=$(kilobytes "${POSTGRES_MEMORY:?say how much memory the server may use, like 4g}")
cores=${POSTGRES_CORES:-$(nproc)}
case $cores in
    *[!0-9]* | 0 | '') fail "POSTGRES_CORES is '$cores'; write a number from 1" ;;
esac
if [ "$memory" -lt 262144 ]; then
    fail "POSTGRES_MEMORY is '$POSTGRES_MEMORY'; 256m is the least"
fi
computed=$(settings "$memory" "$cores")
if [ "${1:-}" = --print ]; then
    echo "$computed"
    exit 0
fi

# What the command says itself comes later, and wins.
program=${1:-postgres}
[ "$#" -eq 0 ] || shift
for setting in $(echo "$computed" | sed '1!G;h;$!d'); do
    set -- -c "$setting" "$@"
done
exec "${POSTGRES_ENTRYPOINT:-docker-entrypoint.sh}" "$program" "$@"
