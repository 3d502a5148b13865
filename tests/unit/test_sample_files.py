"""The files of a sample: reproducible, complete, in the dialect the plan asks for."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa
import pytest

from sample.dialect import FRENCH_HEADINGS
from sample.generate import generate
from sample.plan import SamplePlan

SMALL = SamplePlan(rows=3_000, months=7, dirty_share=0.02)
TRANSACTIONS = (
    "transaction_id,transaction_ts,client_id,service_id,channel_code,location_code,beneficiary_id,currency,amount,"
    "commission,status,processing_ms,updated_at"
)
HEADINGS = {
    "clients": "client_id,company_name,msisdn,email,customer_segment,company_size,risk_level,sector,country_code,city,"
    "kyc_level,onboarded_on,effective_at",
    "services": "service_id,service_name,category,commission_rate,is_active",
    "channels": "channel_code,channel_name",
    "locations": "location_code,city,region,country_code,latitude,longitude",
    "fraud_labels": "transaction_id,is_fraud,reported_at",
    "transactions_2024-01": TRANSACTIONS,
}


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.mark.parametrize("dialect", ["iso", "french", "mixed"])
def test_the_same_plan_gives_the_same_bytes(dialect: Literal["iso", "french", "mixed"], tmp_path: Path) -> None:
    plan = replace(SMALL, dialect=dialect)
    for name in ("one", "two"):
        generate(plan, tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_gives_other_transactions(tmp_path: Path) -> None:
    for seed in (1, 2):
        generate(replace(SMALL, seed=seed), tmp_path / str(seed))
    one, two = digests(tmp_path / "1"), digests(tmp_path / "2")
    assert {name for name in one if one[name] == two[name]} == {"services.csv", "channels.csv", "locations.csv"}


@pytest.mark.parametrize("rows", [1, 40, 997])
def test_the_rows_are_exactly_as_many_as_planned(rows: int, tmp_path: Path) -> None:
    truth = generate(SamplePlan(rows=rows, dirty_share=0), tmp_path)
    lines = [path.read_bytes().count(b"\n") - 1 for path in tmp_path.glob("transactions_*")]
    assert len(lines) == 24
    assert sum(lines) == rows == truth.feeds["transactions"].read


def test_a_folder_with_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious.csv").touch()
    with pytest.raises(ValueError, match="holds 1 entries: expected a folder, new or empty"):
        generate(SMALL, tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        generate(SMALL, tmp_path / "precious.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["precious.csv"]


def test_each_month_is_announced(tmp_path: Path) -> None:
    heard: list[tuple[date, int]] = []
    generate(replace(SMALL, months=3), tmp_path, lambda month, rows: heard.append((month, rows)))
    assert [month for month, _ in heard] == [date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)]
    assert sum(rows for _, rows in heard) == SMALL.rows


def test_iso_headings_are_those_of_the_contract(tmp_path: Path) -> None:
    generate(SMALL, tmp_path)
    for name, heading in HEADINGS.items():
        with (tmp_path / f"{name}.csv").open("rb") as file:
            assert file.readline().decode() == heading + "\n"


def test_french_files_speak_french(tmp_path: Path) -> None:
    generate(replace(SMALL, dialect="french", dirty_share=0), tmp_path)
    text = (tmp_path / "transactions_2024-01.csv").read_bytes().decode("cp1252")
    assert text.split("\n")[0] == ";".join(FRENCH_HEADINGS[name] for name in TRANSACTIONS.split(","))
    frame = pl.read_csv(text.encode(), separator=";", infer_schema=False)
    assert frame["date_transaction"].str.contains(r"^\d\d/01/2024 \d\d:\d\d:\d\d$").all()
    cedis = frame.filter(pl.col("devise") == "GHS")["montant"]
    assert cedis.str.contains(r"^\d+,\d\d$").all()
    assert "Société" in (tmp_path / "clients.csv").read_bytes().decode("cp1252")
    with pytest.raises(UnicodeDecodeError):
        (tmp_path / "clients.csv").read_bytes().decode("utf-8")


def test_mixed_files_alternate(tmp_path: Path) -> None:
    generate(replace(SMALL, dialect="mixed", dirty_share=0), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    iso, french, tabbed, packed, tight, table, again = (f"transactions_2024-0{month}" for month in range(1, 8))
    dimensions = {"services.csv", "channels.txt", "locations.csv", "clients.csv", "fraud_labels.tsv", "truth.json"}
    months = {f"{iso}.csv", f"{french}.csv", f"{tabbed}.tsv", f"{packed}.csv.gz", f"{tight}.csv.zst"}
    assert names == dimensions | months | {f"{table}.parquet", f"{again}.csv"}
    assert (tmp_path / "channels.txt").read_bytes().decode("utf-16").startswith("channel_code|channel_name\nUSSD|")
    assert (tmp_path / f"{tabbed}.tsv").read_bytes().startswith(b"\xef\xbb\xbftransaction_id\ttransaction_ts\t")
    assert gzip.decompress((tmp_path / f"{packed}.csv.gz").read_bytes()).startswith(TRANSACTIONS.encode())
    unpacked = pa.input_stream(tmp_path / f"{tight}.csv.zst", compression="zstd").read()
    assert unpacked.startswith(b"identifiant_transaction;date_transaction;")


def test_parquet_has_types(tmp_path: Path) -> None:
    generate(replace(SMALL, format="parquet"), tmp_path)
    schema = pl.read_parquet_schema(tmp_path / "transactions_2024-01.parquet")
    moment, money = pl.Datetime("us", "UTC"), pl.Decimal(18, 3)
    typed = {"transaction_ts": moment, "updated_at": moment, "amount": money, "commission": money}
    assert schema == dict.fromkeys(TRANSACTIONS.split(","), pl.String()) | typed | {"processing_ms": pl.Int32()}
    clients = pl.read_parquet_schema(tmp_path / "clients.parquet")
    assert (clients["effective_at"], clients["onboarded_on"]) == (moment, pl.Date())


@pytest.mark.parametrize("dialect", ["iso", "french"])
def test_clean_lines_need_no_quotes(dialect: Literal["iso", "french"], tmp_path: Path) -> None:
    generate(replace(SMALL, dialect=dialect, dirty_share=0), tmp_path)
    for path in tmp_path.glob("*.csv"):
        lines = path.read_bytes().splitlines()
        separator = b";" if dialect == "french" else b","
        assert {line.count(separator) for line in lines} == {lines[0].count(separator)}
        assert not any(byte in path.read_bytes() for byte in (b'"', b"\x00", b"\x01", b"\r"))


def test_broken_text_is_in_the_bytes(tmp_path: Path) -> None:
    generate(replace(SMALL, dirty_share=0.05), tmp_path)
    data = b"".join(path.read_bytes() for path in tmp_path.glob("transactions_*"))
    assert b"\x00" in data
    with pytest.raises(UnicodeDecodeError):
        data.decode()
