"""Figures for Prometheus, written as one file for node_exporter's textfile collector after each run."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

PREFIX = "cauri_"
OUTCOMES = ("loaded", "updated", "repeated", "rejected")


def write_metrics(path: Path, facts: Mapping[str, Any], now: datetime) -> None:
    """Replace the file, atomically, by the figures of `facts` (see `warehouse.overview.vitals`)."""
    from prometheus_client import write_to_textfile  # noqa: PLC0415 - needed at the end of a run only

    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry_of(facts, now))


def registry_of(facts: Mapping[str, Any], now: datetime) -> "CollectorRegistry":
    """The figures as a registry of their own: nothing about this process, which is about to end."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415

    registry = CollectorRegistry()
    _set(registry, "metrics_written_timestamp_seconds", "When this file was written.", now.timestamp())
    _runs(registry, facts["last_runs"])
    _last_run(registry, facts["last_run"])
    _freshness(registry, facts["freshness"], now)
    for name, unit, text in (
        ("rows", "rows", "Rows of a partitioned table, by the planner's count."),
        ("bytes", "bytes", "Size of a partitioned table with its indexes."),
        ("leaves", "leaves", "Attached leaves of a partitioned table."),
    ):
        for table in facts["tables"]:
            _set(registry, f"partition_{unit}", text, table[name], table=table["table_name"])
    _set(registry, "dirty_cells", "Cells of the daily summary that are yet to be recomputed.", facts["dirty_cells"])
    _set(registry, "quarantine_open_rows", "Refused rows that nobody has resolved.", facts["quarantine_open"])
    return registry


def _runs(registry: "CollectorRegistry", runs: list[dict[str, Any]]) -> None:
    for run in runs:
        text = "When the newest run of a command with this status ended."
        labels = {"command": run["command"], "status": run["status"]}
        _set(registry, "run_end_timestamp_seconds", text, run["finished_at"].timestamp(), **labels)
        if run["status"] == "done":
            text = "When the newest successful run of a command ended."
            stamp = run["finished_at"].timestamp()
            _set(registry, "last_success_timestamp_seconds", text, stamp, command=run["command"])


def _last_run(registry: "CollectorRegistry", run: dict[str, Any] | None) -> None:
    if run is None:
        return
    summary = run["summary"] or {}
    _set(registry, "last_run_number", "Number of the newest successful run.", run["run_id"])
    _set(registry, "last_run_seconds", "How long it took.", summary.get("seconds", 0))
    for step in summary.get("steps", []):
        labels = {"step": str(step["step"]), "name": step["name"]}
        _set(registry, "last_run_step_seconds", "How long each of its steps took.", step["seconds"], **labels)
    for feed, counts in summary.get("feeds", {}).items():
        for outcome in OUTCOMES:
            labels = {"feed": feed, "outcome": outcome}
            _set(registry, "last_run_rows", "Rows of its files by what became of them.", counts[outcome], **labels)
    _set(registry, "last_run_rejected_share", "Share of its rows that were refused, 0 to 1.", run["rejected_share"])


def _freshness(registry: "CollectorRegistry", freshness: dict[str, Any], now: datetime) -> None:
    last_day: date | None = freshness["last_day"]
    if last_day is None:
        return
    until = datetime(last_day.year, last_day.month, last_day.day, tzinfo=UTC)
    _set(registry, "data_until_timestamp_seconds", "Beginning of the newest day with data.", until.timestamp())
    _set(registry, "data_age_seconds", "Age of that day when this file was written.", (now - until).total_seconds())


def _set(registry: "CollectorRegistry", name: str, text: str, value: float, /, **labels: str) -> None:
    from prometheus_client import Gauge  # noqa: PLC0415

    known: Any = registry._names_to_collectors.get(PREFIX + name)
    gauge: Any = known or Gauge(PREFIX + name, text, list(labels), registry=registry)
    (gauge.labels(**labels) if labels else gauge).set(value)
