# `uv run just` shows this list; arguments after a recipe's name go to its command.
set positional-arguments

[private]
default:
    @just --list --unsorted

# Load a directory (or, without one, a sample of a million rows) into the warehouse
[no-exit-message]
load *args:
    @uv run cauri load --refresh "$@"

# Take what has arrived in a directory, bring everything up to date, maintain the partitions
[no-exit-message]
nightly *args:
    @uv run cauri nightly "$@"

# Train, score, explain: `just fraud train`, with the packages of the models
[no-exit-message]
fraud *args:
    @uv run --extra ml cauri fraud "$@"

# Write a sample of the feeds
[no-exit-message]
sample *args:
    @uv run cauri sample "$@"

# What the warehouse holds
[no-exit-message]
status *args:
    @uv run cauri status "$@"

# Segments of clients by recency, frequency and value: fit, assign, report
[no-exit-message]
rfm *args:
    @uv run --extra ml cauri rfm "$@"

# The dashboards as one HTML file, for any browser
[no-exit-message]
report *args:
    @uv run --extra report cauri report "$@"

# Start the local server
up:
    @uv run cauri db start

# Stop the local server
down:
    @uv run cauri db stop

# Write the dashboards of Metabase and Power BI as files, from dashboards/spec
dashboards:
    uv run --group test python -m dashboards.generate

# Make the passwords and keys of the compose stack; then `docker compose up`
compose-secrets *args:
    @sh deploy/compose/make-secrets.sh "$@"

# Open JupyterLab on the notebooks, beside the local warehouse
lab *args:
    @export CAURI_HOME="${CAURI_HOME:-$PWD/.cauri}"; test ! -f .env || export UV_ENV_FILE="$PWD/.env"; \
        uv run --extra ml --group lab jupyter lab notebooks "$@"

# Run the tests; needs no service
test *args:
    uv run --extra ml --group test pytest -n auto "$@"

# Run the tests on PostgreSQL binaries in another folder
test-on bindir *args:
    @export CAURI_PG_BINDIR="$1"; shift; uv run --extra ml --group test pytest -n auto "$@"

# Tests that kill, with a hundred random deaths each of bulk and nightly loads and all edges of steps: an hour and more
faults *args:
    @export CAURI_TEST_KILLS="${CAURI_TEST_KILLS:-100}"; uv run --extra ml --group test pytest -n auto tests/faults tests/acceptance/test_thirty_nights.py "$@"

# Check style, types and the floors of the house
lint:
    uv run --extra ml --group lint ruff check .
    uv run --extra ml --group lint ruff format --check .
    uv run --extra ml --group lint mypy
    uv run --extra ml --group lint lint-imports
    uv run --extra ml --group lint shellcheck deploy/compose/*.sh deploy/compose/*/*.sh
    uv run --extra ml --group lint hadolint Dockerfile deploy/compose/*/Dockerfile

# Put the code into its format
format:
    uv run --extra ml --group lint ruff format .
    uv run --extra ml --group lint ruff check --fix .

# Tests and lint
check: lint test

# Rows per second of loads, nights, partitions, refreshes and segments; the results are kept in .cauri-bench/history
bench *args:
    uv run --extra ml --group test pytest bench --timeout 0 -p no:cacheprovider --benchmark-storage file://.cauri-bench/history \
        --benchmark-autosave --benchmark-columns min,median,max,rounds --benchmark-sort name "$@"

# Draw the kept results as one HTML file
bench-report *args:
    uv run --group bench python -m bench.report "$@"

# This tree against another revision, in turns: the ratio and its spread
bench-compare *args:
    uv run --group bench python -m bench.compare "$@"

# The load against an expert's own COPY of the same rows
bench-floor *args:
    uv run --group bench python -m bench.floor "$@"

# The load against other ways to the same rows; --write puts the table into docs/performance.md
bench-peers *args:
    uv run --group bench python -m bench.peers "$@"

# Physical limits, the share of them that the load reaches, and the bill of each step
bench-limits *args:
    uv run --group bench python -m bench.limits "$@"

# Seconds of a load as a function of rows, leaves and clients, for docs/scale.md
bench-scale *args:
    uv run --group bench python -m bench.scale "$@"

# All features from Parquet, their windows against DuckDB's, a hot client; --parity 100k: the batch against one by one
bench-features *args:
    uv run --extra ml --group bench python -m bench.features "$@"

# Core seconds of client and server and the client's memory, step by step
bench-bill *args:
    uv run --group bench python -m bench.bill "$@"

# Core seconds of the server by statement, in a load
bench-statements *args:
    uv run --group bench python -m bench.statements "$@"

# A day into 36 million rows against the same day into 3.6 million; keeps both warehouses in .cauri-bench
bench-nightly *args:
    uv run --group bench python -m bench.nightly "$@"

# Latency of each dashboard's query under eight readers, at --rows 36m; keeps the warehouse in .cauri-bench
bench-tiles *args:
    uv run --group bench python -m bench.tiles "$@"

# Write docs/data-dictionary.md from the comments in the database, docs/features.md from the catalogue of features
dictionary:
    uv run python -m warehouse.dictionary
    uv run python -m ml.features.document

# Pin the versions of all dependencies in pyproject.toml; --upgrade takes the newest
pin *args:
    python3 .ci/pin.py "$@"
