"""truth.json against a loader of its own: plain Python over the bytes of the files, one row after the other."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from sample.dialect import FRENCH_HEADINGS
from sample.dirt import DIRT, REASONS
from sample.generate import generate
from sample.plan import SamplePlan

PLANS = {
    "iso": SamplePlan(rows=20_000, dirty_share=0.01, duplicate_share=0.01, update_share=0.03),
    "french": SamplePlan(rows=6_000, seed=2, dialect="french", months=4, dirty_share=0.02, compression="zstd"),
    "mixed": SamplePlan(rows=10_000, seed=3, dialect="mixed", months=7, dirty_share=0.02),
    "parquet": SamplePlan(rows=6_000, seed=4, format="parquet", months=3, dirty_share=0.02),
    "parquet_in_french": SamplePlan(rows=900, seed=6, dialect="french", format="parquet", months=3, dirty_share=0.1),
    "clean": SamplePlan(rows=3_000, seed=5, months=2, dirty_share=0, duplicate_share=0, update_share=0),
}
EXPONENTS = {"XOF": 0, "GNF": 0, "GHS": 2, "KES": 2, "MAD": 2}
ENGLISH = {french: english for english, french in FRENCH_HEADINGS.items()}
NOW = datetime(2030, 1, 1, tzinfo=UTC)
OLD = datetime(2000, 1, 1, tzinfo=UTC)
MOMENTS = {"transactions": "transaction_ts", "clients": "effective_at", "fraud_labels": "reported_at"}
REQUIRED = {
    "transactions": "transaction_id transaction_ts client_id service_id currency amount status",
    "clients": "client_id customer_segment company_size risk_level effective_at",
    "services": "service_id service_name",
    "channels": "channel_code channel_name",
    "locations": "location_code",
    "fraud_labels": "transaction_id is_fraud reported_at",
}
KNOWN = {
    "company_size": {"MICRO", "SMALL", "MEDIUM", "LARGE"},
    "risk_level": {"LOW", "MEDIUM", "HIGH"},
    "status": {"SUCCESS", "FAILED", "PENDING", "REVERSED"},
    "currency": set(EXPONENTS),
}
Row = dict[str, str]


def recount(folder: Path) -> dict[str, Any]:
    """The same figures as truth.json, from the files."""
    services: set[str] = set()
    files: dict[str, Counter[str]] = {}
    loaders = {feed: Loader() for feed in REQUIRED}
    for feed in ("services", "channels", "locations", "clients", "transactions", "fraud_labels"):
        for path in sorted(folder.glob(f"{feed}*")):
            count = files[path.name] = Counter[str]()
            for row, broken in read(path):
                found = [broken] if broken else reasons(feed, row, services)
                assert len(found) <= 1, (feed, found, row)
                outcome = f"rejected:{found[0]}" if found else loaders[feed].load(feed, row)
                count.update(["read", outcome])
                if feed == "services":
                    services.add(row["service_id"])
    feeds: dict[str, Counter[str]] = defaultdict(Counter)
    for name, count in files.items():
        feeds[name.split(".")[0].split("_20")[0]] += count
    return {"files": files, "feeds": feeds, "final": loaders["transactions"].rows}


class Loader:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, ...], Row] = {}

    def load(self, feed: str, row: Row) -> str:
        length = 2 if feed == "clients" else 1
        key = (row["client_id"], row["effective_at"]) if length == 2 else (next(iter(row.values())),)
        known = self.rows.get(key)
        if known is None:
            self.rows[key] = row
            return "loaded"
        if feed != "transactions":
            assert known == row
            return "repeated"
        if known == row or row["updated_at"] < known["updated_at"]:
            return "repeated"
        if row["updated_at"] == known["updated_at"]:
            return "rejected:conflicting_duplicate"
        self.rows[key] = row
        return "updated"


def read(path: Path) -> Iterator[tuple[Row, str]]:
    """Canonical rows, with what is wrong with the line as such."""
    if path.suffix == ".parquet":
        yield from read_table(path)
        return
    data = unpacked(path)
    if data[:2] == b"\xff\xfe":
        text = data.decode("utf-16")
    elif b";" in data.split(b"\n")[0]:
        text = data.decode("cp1252")
    else:
        text = data.decode("utf-8-sig", errors="surrogateescape")
    separator = next(each for each in "\t;|," if each in text.split("\n")[0])
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = [ENGLISH[name] if separator == ";" else name for name in next(lines)]
    for fields in lines:
        broken = line_fault(fields, len(names))
        yield {} if broken else {n: iso(v, separator) for n, v in zip(names, fields, strict=True)}, broken


def unpacked(path: Path) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return bytes(pa.input_stream(path, compression="zstd").read())
    return path.read_bytes()


def read_table(path: Path) -> Iterator[tuple[Row, str]]:
    for values in pl.read_parquet(path).rows(named=True):
        row = {ENGLISH.get(name, name): as_text(value) for name, value in values.items()}
        for name in ("amount", "commission"):
            if "." in row.get(name, ""):
                # A Decimal(18, 3) always has three decimals: those that are zero count for nothing.
                row[name] = row[name].rstrip("0").rstrip(".")
        yield row, line_fault(list(row.values()), len(row))


def as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    return "" if value is None else str(value)


def iso(value: str, separator: str) -> str:
    if separator != ";":
        return value
    if moment := re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})(?: (\d\d:\d\d:\d\d))?", value):
        day, month, year, clock = moment.groups()
        return f"{year}-{month}-{day}" + (f"T{clock}Z" if clock else "")
    assert not re.fullmatch(r"-?\d+\.\d+", value), f"a decimal point in a French file: {value}"
    return value.replace(",", ".") if re.fullmatch(r"-?\d+,\d+", value) else value


def line_fault(fields: list[str], expected: int) -> str:
    whole = "".join(fields)
    if "\x00" in whole or re.search("[\ud800-\udfff]", whole):
        return "broken_text"
    if len(fields) != expected:
        return "too_many_fields" if len(fields) > expected else "too_few_fields"
    if "\n" in whole:
        return "line_break"
    return "field_too_long" if max(len(field) for field in fields) > 256 else ""


def reasons(feed: str, row: Row, services: set[str]) -> list[str]:
    """All rules of the feed that the row breaks."""
    found = [f"{name}_missing" for name in REQUIRED[feed].split() if not row[name]]
    found += [f"{name}_unknown" for name, known in KNOWN.items() if row.get(name) and row[name] not in known]
    if feed == "transactions" and row["service_id"] and row["service_id"] not in services:
        found.append("service_id_unknown")
    if feed in MOMENTS:
        found += moment_faults(MOMENTS[feed], row)
    for name in ("amount", "commission"):
        if feed == "transactions" and row[name]:
            found += [f"{name}_{fault}" for fault in money_faults(row[name], row["currency"])]
    return found + other_faults(feed, row)


def moment_faults(name: str, row: Row) -> list[str]:
    try:
        moment = datetime.fromisoformat(row[name])
    except ValueError:
        return [f"{name}_invalid"] if row[name] else []
    return [f"{name}_too_old"] * (moment < OLD) + [f"{name}_in_future"] * (moment > NOW)


def money_faults(text: str, currency: str) -> list[str]:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return ["invalid"]
    whole, _, decimals = text.lstrip("-").partition(".")
    precise = len(decimals) > EXPONENTS.get(currency, 0)
    return ["negative"] * text.startswith("-") + ["too_precise"] * precise + ["too_large"] * (len(whole) >= 15)


def other_faults(feed: str, row: Row) -> list[str]:
    found = []
    if feed == "transactions":
        ms = row["processing_ms"]
        found += ["processing_ms_invalid"] * bool(ms and not (ms.isdigit() and int(ms) <= 86_400_000))
        found += [f for f in moment_faults("updated_at", row) if f.endswith("_invalid")]
    if "country_code" in row and not re.fullmatch("[A-Z]{2}", row["country_code"]):
        found.append("country_code_invalid")
    if feed == "clients":
        found += ["kyc_level_invalid"] * (row["kyc_level"] not in {"0", "1", "2", "3"})
        found += moment_faults_of_day(row["onboarded_on"])
    if feed == "locations":
        found += [f"{n}_invalid" for n, top in (("latitude", 90), ("longitude", 180)) if abs(Decimal(row[n])) > top]
    if feed == "fraud_labels" and row["is_fraud"]:
        found += ["is_fraud_invalid"] * (row["is_fraud"] not in {"0", "1"})
    return found


def moment_faults_of_day(text: str) -> list[str]:
    try:
        date.fromisoformat(text)
    except ValueError:
        return ["onboarded_on_invalid"]
    return []


def minor(text: str, currency: str) -> int:
    try:
        return int(Decimal(text).scaleb(EXPONENTS[currency]))
    except InvalidOperation:
        return 0


@pytest.fixture(scope="module", params=PLANS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[SamplePlan, Path]:
    plan = PLANS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    truth = generate(plan, folder)
    assert json.loads((folder / "truth.json").read_text()) == truth.as_json()
    return plan, folder


def flat(counts: dict[str, Any]) -> Counter[str]:
    """Counts of truth.json in the form of a recount."""
    names = ("read", "loaded", "updated", "repeated")
    rejected = {f"rejected:{reason}": count for reason, count in counts["rejected_by_reason"].items()}
    assert counts["rejected"] == sum(rejected.values())
    assert counts["read"] == counts["rejected"] + sum(counts[name] for name in names[1:])
    return +Counter({name: counts[name] for name in names} | rejected)


def test_truth_is_what_a_loader_finds(made: tuple[SamplePlan, Path]) -> None:
    plan, folder = made
    truth = json.loads((folder / "truth.json").read_text())
    found = recount(folder)
    assert {name: flat(counts) for name, counts in truth["files"].items()} == found["files"]
    assert {name: flat(counts) for name, counts in truth["feeds"].items()} == found["feeds"]
    assert truth["feeds"]["transactions"]["read"] == plan.rows
    cells: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    months: dict[str, Counter[str]] = defaultdict(Counter)
    for row in found["final"].values():
        amount, commission = (minor(row[name], row["currency"]) for name in ("amount", "commission"))
        cell = {"count": 1, "amount_minor": amount, "commission_minor": commission}
        cells[row["currency"]][row["status"]].update(cell)
        months[row["transaction_ts"][:7]].update({"count": 1, "amount_minor": amount})
    assert truth["transactions"] == {"by_currency_status": cells, "by_month": months}


def test_every_reason_occurs(made: tuple[SamplePlan, Path]) -> None:
    plan, folder = made
    feeds = json.loads((folder / "truth.json").read_text())["feeds"]
    as_table = plan.format == "parquet"
    for feed, dirt in DIRT.items():
        wanted = {reason for reason, each in dirt.items() if each.in_table or not as_table}
        wanted |= {"conflicting_duplicate"} if feed == "transactions" else set()
        assert set(feeds[feed]["rejected_by_reason"]) == (wanted if plan.dirty_share else set())
    assert not feeds["services"]["rejected"]
    assert len(REASONS) == 30


def test_labels_name_loaded_transactions_once(made: tuple[SamplePlan, Path]) -> None:
    _, folder = made
    final = recount(folder)["final"]
    frauds = json.loads((folder / "truth.json").read_text())["fraud"]
    (path,) = folder.glob("fraud_labels*")
    labels = [row for row, broken in read(path) if not broken and not reasons("fraud_labels", row, set())]
    assert len({row["transaction_id"] for row in labels}) == len(labels) > 0
    for row in labels:
        paid = datetime.fromisoformat(final[(row["transaction_id"],)]["transaction_ts"])
        assert 1 <= (datetime.fromisoformat(row["reported_at"]) - paid).total_seconds() / 86_400 <= 30
    assert 0 < sum(row["is_fraud"] == "1" for row in labels) <= sum(frauds.values())
