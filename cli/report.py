"""`cauri report`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.console import print_json, stderr, write_page
from cli.context import open_warehouse
from cli.extra import extra_needed
from cli.options import DAY, Json, day_of
from dashboards.specification import specification

MIB = 1024 * 1024


def report(
    out: Annotated[Path, typer.Option("--out", envvar="CAURI_REPORT_OUT", help="The file to write.")] = Path(
        "cauri-report.html"
    ),
    language: Annotated[
        Literal["en", "fr"],
        typer.Option("--language", envvar="CAURI_REPORT_LANGUAGE", help="Shown first; the page has both."),
    ] = "en",
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from", envvar="CAURI_REPORT_FROM", formats=DAY, help="First day; default: two years before the last."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", envvar="CAURI_REPORT_UNTIL", formats=DAY, help="Last day; default: the newest."),
    ] = None,
    json: Json = False,
) -> None:
    """Write the dashboards as one HTML file that needs nothing but a browser. The warehouse is only read."""
    if since and until and since > until:
        raise typer.BadParameter(f"{since:%Y-%m-%d} is after --until {until:%Y-%m-%d}", param_hint="--from")
    with extra_needed("report", words=1):
        from dashboards.report.page import page  # noqa: PLC0415 - its packages may be missing
    from dashboards.report.reading import read  # noqa: PLC0415 - no other command reads frames here

    url, spec = open_warehouse().url, specification()
    write_page(out, "")
    found = read(url, spec, day_of(since), day_of(until))
    text = page(found, spec, language)
    write_page(out, text)
    size = len(text.encode())
    if json:
        print_json(
            {
                "status": "done",
                "out": str(out),
                "bytes": size,
                "from": found.since,
                "until": found.until,
                "rows": {name: frame.height for name, frame in found.rows.items()},
                "missing": [name for name, there in found.present.items() if not there],
                "stale": list(found.freshness.stale),
            }
        )
        return
    days = f"{found.since} to {found.until}" if found.until else "no day: the warehouse is empty"
    stderr.print(f"{size / MIB:.1f} MiB, {days}. Open it in a browser.", markup=False, soft_wrap=True)
    if found.freshness.stale:
        stale = ", ".join(found.freshness.stale)
        stderr.print(f"Stale: {stale}. Next: cauri refresh, and this once more.", markup=False, soft_wrap=True)
