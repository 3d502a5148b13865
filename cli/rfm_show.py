"""What a segmentation did, and its report, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.console import decimals, short, stdout, table

if TYPE_CHECKING:
    import polars as pl

    from ml.rfm.report import Report
    from ml.rfm.segmentation import Segmented

# Older data make a day of segmentation that is not one of the business.
STALE_DAYS = 31


def show_segmented(done: Segmented) -> None:
    """Counts by segment, the model and how firm it is."""
    document = done.to_json()
    total = document["clients"]
    shown = table(f"Clients by segment, {done.window.since} to before {done.window.as_of}", "", "", "", numbers=2)
    shown.show_header = False
    for one in document["segments"]:
        shown.add_row(f"{one['segment']} {one['name']}", f"{one['clients']:,}", f"{one['clients'] / total:.1%}")
    stdout.print(shown)
    firm = done.quality["bootstrap_ari"]
    stdout.print(f"Model {done.model.version}, run {done.run_id}; bootstrap ARI {firm['mean']:.2f}.")
    late = (done.window.as_of - done.last_day).days
    if late > STALE_DAYS:
        stdout.print(f"The newest transaction is {late:,} days older than {done.window.as_of}: nobody is recent.")


def show_report(found: Report) -> None:
    """The report as tables."""
    document = found.to_json()
    _segments(document)
    _actions(document)
    _moves(found, document)
    _outlook(document)
    _quality(document["quality"])


def _segments(document: dict[str, Any]) -> None:
    title = (
        f"Segments of {document['as_of']} ({document['since']} to the day before), amounts in {document['currency']}"
    )
    shown = table(title, "segment", "clients", "", "recency", "frequency", "value", numbers=5)
    for one in document["segments"]:
        shown.add_row(
            f"{one['segment']} {one['name']}",
            f"{one['clients']:,}",
            _share(one["share"]),
            f"{one['recency']:,.0f} d",
            f"{one['frequency']:,.0f}",
            short(one["monetary"]),
        )
    stdout.print(shown)
    stdout.print("  recency, frequency, value: medians.", style="dim")
    shown = table("What they bring", "segment", "revenue", "", "churn risk", "12 months ahead", numbers=4)
    for one in document["segments"]:
        shown.add_row(
            f"{one['segment']} {one['name']}",
            short(one["revenue"]),
            _share(one["revenue_share"]),
            _share(one["churn_risk"]),
            short(one["lifetime_value"]),
        )
    stdout.print(shown)
    stdout.print("  revenue: commission of the window. 12 months ahead: commission expected of a client.", style="dim")


def _actions(document: dict[str, Any]) -> None:
    shown = table("What to do", "segment", "action")
    for one in document["segments"]:
        shown.add_row(f"{one['segment']} {one['name']}", one["action"])
    stdout.print(shown)


def _moves(found: Report, document: dict[str, Any]) -> None:
    if found.moves is None:
        stdout.print(
            f"No earlier day has segments, so nobody moved yet. Next: cauri rfm assign --as-of DAY --model"
            f" {document['model']}"
        )
        return
    moves = document["migration"]
    _matrix(f"Moves of clients, {moves['since']} (rows) to {document['as_of']} (columns)", found.moves.moved)
    stdout.print(f"  {moves['moved_by_clients']:,} clients moved", style="dim")
    if moves["is_refit"]:
        _matrix(
            "Moves by the refit: the same clients by the old model (rows) and the new one (columns)",
            found.moves.refitted,
        )
        stdout.print(f"  {moves['moved_by_refit']:,} clients were moved by the refit", style="dim")


def _matrix(title: str, counts: pl.DataFrame) -> None:
    from ml.rfm.prototypes import names  # noqa: PLC0415 - with the report the packages are there

    told = {(before, after): clients for before, after, clients in counts.iter_rows()}
    columns: list[int | None] = [*names(), *([None] if any(after is None for _, after in told) else [])]
    rows: list[int | None] = [*names(), *([None] if any(before is None for before, _ in told) else [])]
    shown = table(title, "", *(names().get(one or 0, "gone") for one in columns), numbers=len(columns))
    for row in rows:
        cells = (f"{told[row, column]:,}" if (row, column) in told else "-" for column in columns)
        shown.add_row(names().get(row or 0, "new"), *cells)
    stdout.print(shown)


def _outlook(document: dict[str, Any]) -> None:
    ahead = document["outlook"]
    if ahead["reason"]:
        stdout.print(f"No look at six months: {ahead['reason']}.")
        return
    title = f"What became of the segments of {ahead['as_of']} until {ahead['until']}"
    shown = table(title, "segment", "clients", "retained", "revenue", "", "lift", "predicted", numbers=6)
    names = {one["segment"]: one["name"] for one in document["segments"]}
    for one in ahead["segments"]:
        shown.add_row(
            f"{one['segment']} {names.get(one['segment'], '')}",
            f"{one['clients']:,}",
            f"{one['retained']:.0%}",
            short(one["revenue"]),
            _share(one["revenue_share"]),
            decimals(one["lift"], 2),
            short(one["predicted"]),
        )
    stdout.print(shown)
    stdout.print(
        f"  by a model of {ahead['as_of']}, which knew nothing later. lift: share of revenue by share of clients."
        " predicted: revenue by BG/NBD and Gamma-Gamma.",
        style="dim",
    )


def _quality(quality: dict[str, Any]) -> None:
    firm = quality["bootstrap_ari"]
    stdout.print(
        f"Stability: ARI of {firm['draws']} bootstraps {firm['mean']:.2f}, least {firm['least']:.2f}"
        f" (0.8 is firm; {firm['refused']} without order). ARI against the quintile rule {quality['quintile_ari']:.2f}."
    )
    told = ", ".join(f"{k}: {value:.2f}" for k, value in quality["silhouettes"].items())
    stdout.print(f"Silhouette of these five {quality['silhouette']:.2f}; of k clusters from random starts {told}.")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
