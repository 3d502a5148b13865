"""Airflow 3: the nightly run as a DAG. Airflow only calls the command; Cauri has an environment of its own."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

CAURI = "/opt/cauri/.venv/bin/cauri"
FEEDS = "/srv/feeds"
NOTHING_TO_DO = 99

with DAG(
    dag_id="cauri_nightly",
    description="New files of every feed into the warehouse",
    schedule="30 1 * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow reads it in its own time zone
    catchup=False,
    # A second run would exit with 75 at once.
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
    tags=["cauri"],
) as dag:
    nightly = BashOperator(
        task_id="nightly",
        bash_command=f"{CAURI} nightly {FEEDS} --json",
        cwd="/opt/cauri",
        append_env=True,
        env={"CAURI_LOG_FORMAT": "json"},
        # The task is marked skipped, and so is what follows.
        skip_on_exit_code=NOTHING_TO_DO,
        execution_timeout=timedelta(hours=5),
    )
    # Whatever the run did, somebody looks at the warehouse.
    health = BashOperator(
        task_id="health",
        bash_command=f"{CAURI} health --json",
        cwd="/opt/cauri",
        append_env=True,
        trigger_rule="all_done",
    )
    nightly >> health
