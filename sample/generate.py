"""Plan in, files and truth out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from sample import catalogue, labels, places, rows, text
from sample.calendar import epoch
from sample.clients import Clients, draw_clients
from sample.dialect import ISO, form_of
from sample.history import client_changes
from sample.month_file import write_month
from sample.monthly import monthly_rows
from sample.plan import SamplePlan, month_starts, random_stream
from sample.small_feeds import write_feed
from sample.truth import Tally, Truth


def _silent(_month: date, _rows: int) -> None:
    pass


def generate(plan: SamplePlan, out: Path, on_month: Callable[[date, int], None] = _silent) -> Truth:
    """Write the feeds of `plan` and truth.json into `out`, a new or empty folder; call `on_month` after each month."""
    _prepare(out)
    clients = draw_clients(plan)
    tally = Tally()
    _write_dimensions(plan, clients, out, tally)
    reported = _write_transactions(plan, clients, out, tally, on_month)
    frame = labels.label_columns(reported.table(), text.id_days(plan))
    tally.add_file("fraud_labels", *write_feed(plan, "fraud_labels", frame, out))
    truth = tally.truth(plan)
    truth.write(out / "truth.json")
    return truth


def _prepare(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file: expected a folder, new or empty")
    out.mkdir(parents=True, exist_ok=True)
    found = sum(1 for _ in out.iterdir())
    if found:
        raise ValueError(f"{out} holds {found} entries: expected a folder, new or empty. Name another one or empty it")


def _write_dimensions(plan: SamplePlan, clients: Clients, out: Path, tally: Tally) -> None:
    frames = {
        "services": catalogue.services(),
        "channels": catalogue.channels(),
        "locations": places.locations(),
        "clients": client_changes(plan, clients),
    }
    for feed, frame in frames.items():
        tally.add_file(feed, *write_feed(plan, feed, frame, out))


def _write_transactions(
    plan: SamplePlan, clients: Clients, out: Path, tally: Tally, on_month: Callable[[date, int], None]
) -> labels.Labels:
    """One file a month; returns the labels that investigators gave."""
    reported = labels.Labels(epoch(month_starts(plan)[-1]))
    forms = [form_of(plan, "transactions", index) for index in range(plan.months)]
    wordings = {dialect: text.wording(plan, dialect) for dialect in {ISO, *(form.dialect for form in forms)}}
    for index, (month, table) in enumerate(monthly_rows(plan, clients, [form.parquet for form in forms])):
        form = forms[index]
        path = out / f"transactions_{month.first:%Y-%m}{form.extension}"
        write_month(path, table, form, wordings)
        tally.add_transactions(month, table, path.name)
        tally.fraud.update(labels.frauds_by_typology(table))
        reported.add(table, random_stream(plan, 5, index))
        on_month(month.first, rows.count(table))
    return reported
