"""Amounts of several currencies become one, exact to the minor unit; what is not declared is refused."""

from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.rfm.rates import Rates, converted, exponent_of, in_units, read_rates
from tests.segments import CURRENCIES, RATES
from warehouse.errors import ConfigurationError, DataRefusedError
from warehouse.queries import SCHEMA_FOLDER

AMOUNTS = pl.Schema(
    {
        "client": pl.Int32,
        "currency": pl.Int16,
        "successes": pl.Int64,
        "amount_minor": pl.Int64,
        "commission_minor": pl.Int64,
    }
)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(0, 9),
        st.integers(-(10**15), 10**15),
        st.integers(0, 10**15),
    ),
    max_size=30,
)
RATE = st.decimals("0.000000001", "9999", places=9)


def rates(**more: str) -> Rates:
    return Rates(reporting="XOF", rates={"XOF": "1", **more})


def frame(*rows: tuple[int, int, int, int, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=AMOUNTS, orient="row")


@given(ROWS, RATE, RATE)
def test_sums_are_those_of_decimals(rows: list[tuple[int, int, int, int, int]], cedi: Decimal, dinar: Decimal) -> None:
    table = rates(GHS=f"{cedi:f}", TND=f"{dinar:f}")
    factors = {1: Decimal(1), 2: cedi.scaleb(-2), 3: dinar.scaleb(-3)}
    expected = []
    for client in sorted({row[0] for row in rows}):
        own = [row for row in rows if row[0] == client]
        sums = [sum(Decimal(row[place]) * factors[row[1]] for row in own) for place in (3, 4)]
        rounded = [int((one + Decimal("0.5")).to_integral_value(ROUND_FLOOR)) for one in sums]
        expected.append((client, sum(row[2] for row in own), *rounded))
    assert converted(frame(*rows), table, CURRENCIES).rows() == expected


def test_a_sum_is_rounded_once_and_half_up() -> None:
    # Three times half a franc are one franc and a half: two. Rounded one by one they would be three.
    found = converted(frame(*[(1, 2, 1, 1, 0)] * 3), rates(GHS="50"), CURRENCIES)
    assert found["amount_minor"].to_list() == [2]


def test_a_reporting_currency_with_decimals() -> None:
    euros = Rates(reporting="EUR", rates={"EUR": "1", "XOF": "0.001524490", "TND": "0.3"})
    currencies = {1: ("XOF", 0), 3: ("TND", 3), 31: ("EUR", 2)}
    found = converted(frame((1, 1, 1, 1_000_000, 0), (1, 3, 1, 10_000, 0), (1, 31, 1, 5, 0)), euros, currencies)
    assert exponent_of(euros, currencies) == 2
    assert found["amount_minor"].to_list() == [152_449 + 300 + 5]
    assert str(in_units(152_754, 2)) == "1527.54"


def test_a_currency_without_a_rate_is_refused_by_its_code() -> None:
    with pytest.raises(DataRefusedError, match=r"2 currency\(ies\) without a rate: XXX, key 9") as refused:
        converted(frame((1, 4, 1, 5, 0), (1, 9, 1, 5, 0), (1, 1, 1, 5, 0)), RATES, CURRENCIES)
    assert "CAURI_RATES" in refused.value.remedy


def test_an_unknown_reporting_currency() -> None:
    with pytest.raises(ConfigurationError, match="EUR is not in dwh"):
        exponent_of(Rates(reporting="EUR", rates={"EUR": "1"}), CURRENCIES)


def test_every_currency_of_the_warehouse_has_a_rate() -> None:
    seeded = (SCHEMA_FOLDER / "migrations" / "0003_dimensions.sql").read_text(encoding="utf-8")
    missing = [code for code in RATES.rates if f"'{code}'" not in seeded]
    assert missing == []
    assert len(RATES.rates) == 33


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("version = 1", "reporting"),
        ('reporting = "XOF"\n[rates]\nXOF = "2"', "has to be there, and to be 1"),
        ('reporting = "XOF"\n[rates]\nEUR = "655.957"', "has to be there, and to be 1"),
        ('reporting = "XOF"\n[rates]\nXOF = "1"\nEUR = "many"', "rates.EUR: 'many' is not a number"),
        ('reporting = "XOF"\n[rates]\nXOF = "1"\nEUR = "-1"', "not between 0"),
        ('reporting = "XOF"\n[rates]\nXOF = "1"\nEUR = "NaN"', "not between 0"),
        ('reporting = "XOF"\n[rates]\nXOF = "1"\nEUR = "0.0000000001"', "more than 9 decimals"),
        ('reporting = "XOF"\n[rates]\nXOF = "1"\nEUR = 655.957', "rates.EUR"),
        ('reporting = "XOF"\nrate = 1\n[rates]\nXOF = "1"', "rate: Extra inputs"),
        ("reporting = ", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "rates.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"rates\.toml") as error:
        read_rates(path)
    assert problem in error.value.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_rates(tmp_path / "none.toml")
