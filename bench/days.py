"""What a day brings: 50,000 transactions, corrections of the day before, changes of clients, labels; and late ones."""

import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from sample.clients import draw_clients
from sample.generate import generate
from sample.history import client_changes
from sample.plan import SamplePlan

ROWS_A_DAY = 50_000
CORRECTED, CHANGED_CLIENTS, LABELLED = 250, 50, 100
LATE_SHARE, LATE_CLIENTS = 0.01, 500

# The warehouses that are compared end where the first day begins.
FIRST_DAY = date(2026, 1, 1)
HISTORY_DAYS = 731
# The month is cut from so many rows that its working days have more than are wanted of each.
ROWS_OF_MONTH = 2_400_000


@dataclass(frozen=True)
class Days:
    """Days that follow a sample of `clients` clients, one folder of feeds each."""

    folder: Path
    clients: int

    def prepare(self, troubled: list[bool]) -> list[Path]:
        """Write the feeds of as many days as `troubled` has entries, those that are true with late rows and changes."""
        month = self._month()
        full = month.group_by("day").len().filter(pl.col("len") >= ROWS_A_DAY)["day"].sort()
        if len(full) < len(troubled):
            raise SystemExit(f"a month has {len(full)} days of {ROWS_A_DAY:,} rows, {len(troubled)} are needed")
        known = client_changes(self._plan, draw_clients(self._plan)).unique("client_id", keep="last").sort("client_id")
        before, folders = None, []
        for number, (day, trouble) in enumerate(zip(full, troubled, strict=False)):
            rows = month.filter(pl.col("day") == day).drop("day").sample(ROWS_A_DAY, seed=number)
            folders.append(self.folder / f"{day}-{'troubled' if trouble else 'plain'}")
            _write(folders[-1], _Day(number, day, trouble, known), rows, before)
            before = rows
        return folders

    @property
    def _plan(self) -> SamplePlan:
        return SamplePlan(
            ROWS_OF_MONTH,
            start=FIRST_DAY,
            months=1,
            clients=self.clients,
            dirty_share=0,
            duplicate_share=0,
            update_share=0,
        )

    def _month(self) -> pl.DataFrame:
        source = self.folder / "month"
        if not (source / "truth.json").exists():
            shutil.rmtree(source, ignore_errors=True)
            generate(self._plan, source)
        rows = pl.concat(pl.read_csv(path, infer_schema=False) for path in sorted(source.glob("transactions_*.csv")))
        return rows.with_columns(day=pl.col("transaction_ts").str.head(10).str.to_date())


@dataclass(frozen=True)
class _Day:
    number: int
    day: date
    troubled: bool
    known: pl.DataFrame


def _write(folder: Path, day: _Day, rows: pl.DataFrame, before: pl.DataFrame | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    changes = _changed(day, CHANGED_CLIENTS, [day.day] * CHANGED_CLIENTS)
    if day.troubled:
        rows = _with_late(day, rows)
        old = [FIRST_DAY - timedelta(days=1 + n * HISTORY_DAYS // LATE_CLIENTS) for n in range(LATE_CLIENTS)]
        changes = pl.concat([changes, _changed(day, LATE_CLIENTS, old)])
    if before is not None:
        _labels(day, before).write_csv(folder / "fraud_labels.csv")
        rows = pl.concat([rows, _corrected(day, before)])
    rows.write_csv(folder / "transactions.csv")
    changes.write_csv(folder / "clients.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")


def _with_late(day: _Day, rows: pl.DataFrame) -> pl.DataFrame:
    """A share of the rows belongs to days of the whole history; their ids, like those of others, tell their day."""
    late = int(rows.height * LATE_SHARE)
    days = [FIRST_DAY - timedelta(days=1 + n * HISTORY_DAYS // late) for n in range(late)]
    when = pl.Series("when", days)
    moved = rows.head(late).with_columns(
        transaction_id=pl.format("TX-{}-L{}", when.dt.strftime("%y%m%d"), pl.int_range(late) + day.number * 1_000_000),
        transaction_ts=pl.format("{}T{}", when.dt.strftime("%Y-%m-%d"), pl.col("transaction_ts").str.tail(9)),
    )
    return pl.concat([moved, rows.tail(-late)])


def _corrected(day: _Day, before: pl.DataFrame) -> pl.DataFrame:
    """Transactions of the day before that were reversed since."""
    return before.tail(CORRECTED).with_columns(status=pl.lit("REVERSED"), updated_at=pl.lit(f"{day.day}T06:00:00Z"))


def _changed(day: _Day, count: int, days: list[date]) -> pl.DataFrame:
    """Clients who come into another segment on one of `days`."""
    segments = {"BASIC": "STANDARD", "STANDARD": "PREMIUM", "PREMIUM": "STRATEGIC", "STRATEGIC": "PREMIUM"}
    moments = [datetime(one.year, one.month, one.day, 9, 30) for one in days]  # noqa: DTZ001
    return day.known.sample(count, seed=day.number * 2 + (count == LATE_CLIENTS)).with_columns(
        pl.col("customer_segment").replace_strict(segments), effective_at=pl.Series(moments)
    )


def _labels(day: _Day, before: pl.DataFrame) -> pl.DataFrame:
    return before.head(LABELLED).select(
        "transaction_id", is_fraud=pl.int_range(LABELLED) % 2, reported_at=pl.lit(f"{day.day}T10:00:00Z")
    )
