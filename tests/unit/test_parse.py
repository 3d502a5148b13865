"""Text becomes moments, amounts and numbers: exactly, or not at all."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts import check
from engine.feeds import FEEDS
from engine.fields import FAULT, ROW_NUMBER
from engine.parse import AMOUNT_DECIMALS, Locale, parse, refer
from engine.shards import Dictionary, shape
from tests.frames import CLOCK, DOMAINS, GOOD, lines_of, read_and_check, text_file

ABIDJAN = Locale("Africa/Abidjan", decimal_comma=False)
PARIS = Locale("Europe/Paris", decimal_comma=False)
COMMA = Locale("Africa/Abidjan", decimal_comma=True)


def parsed(feed: str, column: str, values: pl.Series | list[str | None], locale: Locale = ABIDJAN) -> list[object]:
    """A column of a feed as `parse` gives it, all others being null."""
    series = values if isinstance(values, pl.Series) else pl.Series(values, dtype=pl.String)
    frame = pl.DataFrame({name: [None] * len(series) for name in FEEDS[feed].names}, schema_overrides=text_schema(feed))
    return parse(frame.with_columns(series.alias(column)), FEEDS[feed], locale)[column].to_list()


def text_schema(feed: str) -> dict[str, pl.DataType]:
    return dict.fromkeys(FEEDS[feed].names, pl.String())


def moments(*texts: str | None, locale: Locale = ABIDJAN) -> list[object]:
    return parsed("transactions", "transaction_ts", list(texts), locale)


NOON = datetime(2024, 5, 17, 12, tzinfo=UTC)
LOCAL = datetime.fromisoformat("2024-05-17T14:00:00")


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-17T12:00:00Z",
        "2024-05-17T12:00:00.000Z",
        "2024-05-17T14:00:00+02:00",
        "2024-05-17 14:00:00.000000+02:00",
        "2024-05-17T12:00:00",
        "2024-05-17 12:00:00",
        "2024-05-17 12:00:00.000",
        "2024-05-17T12:00",
        "2024-05-17 12:00",
        "17/05/2024 12:00:00",
        "17/05/2024 12:00",
        "17-05-2024 12:00:00",
        "1715947200",
    ],
)
def test_a_moment_has_many_forms(text: str) -> None:
    assert moments(text) == [NOON]


def test_one_column_may_mix_its_forms() -> None:
    texts = ["2024-05-17T12:00:00Z"] * 30 + [
        "17/05/2024 12:00:00",
        None,
        "1715947200",
        "never",
        "2024-05-17T14:00:00+02:00",
    ]
    assert moments(*texts) == [NOON] * 31 + [None, NOON, None, NOON]
    assert moments(*reversed(texts)) == [NOON, None, NOON, None] + [NOON] * 31


def test_a_day_alone_begins_at_midnight_of_its_zone() -> None:
    assert moments("2024-05-17", "17/05/2024", locale=PARIS) == [datetime(2024, 5, 16, 22, tzinfo=UTC)] * 2


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-31 01:59:59", datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC)),
        ("2024-03-31 02:00:00", None),
        ("2024-03-31 02:30:00", None),
        ("2024-03-31 02:59:59", None),
        ("2024-03-31 03:00:00", datetime(2024, 3, 31, 1, tzinfo=UTC)),
        ("2024-10-27 01:59:59", datetime(2024, 10, 26, 23, 59, 59, tzinfo=UTC)),
        ("2024-10-27 02:30:00", datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),
        ("2024-10-27 03:00:00", datetime(2024, 10, 27, 2, tzinfo=UTC)),
        ("2024-10-27T02:30:00+01:00", datetime(2024, 10, 27, 1, 30, tzinfo=UTC)),
        ("2024-03-31T02:30:00Z", datetime(2024, 3, 31, 2, 30, tzinfo=UTC)),
        ("1711848600", datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_clock_change_skips_an_hour_or_shows_it_twice(text: str, moment: datetime | None) -> None:
    assert moments(text, locale=PARIS) == [moment]
    typed = pl.Series([datetime.fromisoformat(text)]) if " " in text else None
    if typed is not None:
        assert parsed("transactions", "transaction_ts", typed, PARIS) == [moment]


def test_the_zone_of_a_source_decides_and_a_skipped_hour_is_refused(tmp_path: Path) -> None:
    content = lines_of("transactions", *[{"transaction_ts": f"2024-03-31 0{hour}:30:00"} for hour in (1, 2, 3)])
    there = read_and_check(text_file(tmp_path, "transactions", content, timezone="Europe/Paris"))
    assert there.reasons == {2: ["transaction_ts_invalid"]}
    assert there.good["transaction_ts"].dt.hour().to_list() == [0, 1]
    assert read_and_check(text_file(tmp_path, "transactions", content)).reasons == {}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.datetimes(datetime.fromisoformat("1950-01-01"), datetime.fromisoformat("2100-01-01")))
def test_local_moments_are_those_of_the_zone_database(local: datetime) -> None:
    zone = ZoneInfo("Europe/Paris")
    expected = local.replace(tzinfo=zone).astimezone(UTC)
    was_skipped = expected.astimezone(zone).replace(tzinfo=None) != local
    assert moments(local.isoformat(" "), locale=PARIS) == [None if was_skipped else expected]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.datetimes(datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30")),
    st.integers(-14 * 60, 14 * 60),
)
def test_moments_with_an_offset_are_exact(moment: datetime, offset: int) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert moments(zoned.isoformat()) == [zoned.astimezone(UTC)]
    utc = moment.replace(tzinfo=UTC)
    assert moments(utc.isoformat().replace("+00:00", "Z")) == [utc]


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        (pl.Series([LOCAL]), datetime(2024, 5, 17, 12, tzinfo=UTC)),
        (pl.Series([LOCAL], dtype=pl.Datetime("ns")), datetime(2024, 5, 17, 12, tzinfo=UTC)),
        (
            pl.Series([LOCAL], dtype=pl.Datetime("ms", "Asia/Tokyo")),
            datetime(2024, 5, 17, 14, tzinfo=UTC),
        ),
        (pl.Series([date(2024, 5, 17)]), datetime(2024, 5, 16, 22, tzinfo=UTC)),
        (pl.Series([1_715_947_200]), NOON),
        (pl.Series([None], dtype=pl.Null), None),
        (pl.Series([True]), None),
    ],
)
def test_typed_moments_keep_their_zone_or_get_that_of_the_source(typed: pl.Series, moment: datetime | None) -> None:
    assert parsed("transactions", "transaction_ts", typed, PARIS) == [moment]


def test_days() -> None:
    texts = ["2020-02-29", "29/02/2020", "29-02-2020", "2023-02-29", None, "0000-00-00"]
    leap = date(2020, 2, 29)
    assert parsed("clients", "onboarded_on", list(texts)) == [leap, leap, leap, None, None, None]
    assert parsed("clients", "onboarded_on", pl.Series([datetime.fromisoformat("2020-02-29T13:00:00")])) == [leap]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("true", True),
        ("OUI", True),
        ("1", True),
        ("Vrai", True),
        ("0", False),
        ("Faux", False),
        ("n", False),
        ("2", None),
    ],
)
def test_booleans(text: str, number: bool | None) -> None:
    assert parsed("services", "is_active", [text]) == [number]


def test_whole_numbers_and_fractions() -> None:
    assert parsed("transactions", "processing_ms", ["7", "007", "1.5", "1e3", "9" * 30, None]) == [
        7,
        7,
        None,
        None,
        None,
        None,
    ]
    assert parsed("transactions", "processing_ms", pl.Series([2**64 - 1], dtype=pl.UInt64)) == [None]
    assert parsed("locations", "latitude", ["-5.25", "5", ".5", "NaN", "1e1"]) == [-5.25, 5.0, None, None, None]
    assert parsed("locations", "latitude", ["-5,25"], COMMA) == [-5.25]


# --- Money


def minor_units(cases: list[tuple[str, str]], *, comma: bool = False) -> list[int | None]:
    """Amounts (currency, text) as they go into the warehouse, None for one that is refused."""
    rows = [
        {**GOOD["transactions"], "currency": currency, "amount": text, "commission": text} for currency, text in cases
    ]
    frame = (
        pl.DataFrame(rows)
        .with_row_index(ROW_NUMBER)
        .with_columns(pl.col(ROW_NUMBER).cast(pl.Int64), pl.lit(None, pl.String).alias(FAULT))
    )
    frame = refer(parse(frame, FEEDS["transactions"], Locale("UTC", decimal_comma=comma)), DOMAINS)
    good, refused = check(frame, "transactions", CLOCK)
    found: list[int | None] = [None] * len(cases)
    if good.height:
        amounts = shape(good, DOMAINS, 0, "UTC", Dictionary()).select("seq", "amount_minor", "commission_minor")
        for row, amount, commission in amounts.iter_rows():
            assert amount == commission
            assert isinstance(amount, int)
            found[row] = amount
    assert good.height + refused.height == len(cases)
    return found


EXPONENTS = dict(DOMAINS.currencies.select("currency", "exponent").iter_rows())


@st.composite
def valid_amounts(draw: st.DrawFn) -> tuple[str, str]:
    currency = draw(st.sampled_from(list(EXPONENTS)))
    whole = draw(st.integers(0, 10**14 - 1))
    decimals = draw(st.integers(0, EXPONENTS[currency]))
    fraction = draw(st.integers(0, 10**decimals - 1))
    zeros = draw(st.sampled_from(["", "", "0", "00000000"]))
    digits = (f"{fraction:0{decimals}d}" if decimals else "") + zeros
    lead = draw(st.sampled_from(["", "", "0"])) if whole < 10**12 else ""
    return currency, f"{lead}{whole}" + (f".{digits}" if digits else "")


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(valid_amounts(), min_size=1, max_size=20))
def test_money_is_exact(cases: list[tuple[str, str]]) -> None:
    exact = [Decimal(text) * 10 ** EXPONENTS[currency] for currency, text in cases]
    assert minor_units(cases) == [int(amount) for amount in exact] == exact
    with_comma = [(currency, text.replace(".", ",")) for currency, text in cases]
    assert minor_units(with_comma, comma=True) == exact


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("XOF", "1500", 1500),
        ("XOF", "1500.000", 1500),
        ("XOF", "1.5", None),
        ("GHS", "1.50", 150),
        ("GHS", "1.005", None),
        ("GHS", "0.29", 29),
        ("GHS", "1.10", 110),
        ("KES", "1.5000000", 150),
        ("KES", "1.5000001", None),
        ("KES", "1.99995", None),
        ("TND", "1.005", 1005),
        ("GHS", "99999999999999.99", 9_999_999_999_999_999),
        ("GHS", "100000000000000", None),
        ("GHS", "1,50", None),
        ("GHS", "1 500.00", None),
    ],
)
def test_amounts_with_a_point(currency: str, text: str, minor: int | None) -> None:
    assert minor_units([(currency, text)]) == [minor]


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("GHS", "1,50", 150),
        ("GHS", "1 234,50", 123_450),
        ("GHS", "1\u00a0234,50", 123_450),
        ("GHS", "1\u202f234\u202f567,50", 123_456_750),
        ("XOF", "12 345 678", 12_345_678),
        ("GHS", "1,005", None),
        ("GHS", "1,2,3", None),
        ("GHS", "1.234,50", None),
        # What a point means in such a file nobody knows: a thousand must not become a one.
        ("XOF", "1.000", None),
        ("TND", "1.234", None),
        ("GHS", "100 000 000 000 000", None),
        ("GHS", "99 999 999 999 999,99", 9_999_999_999_999_999),
    ],
)
def test_amounts_with_a_comma(currency: str, text: str, minor: int | None) -> None:
    assert minor_units([(currency, text)], comma=True) == [minor]


def test_an_amount_too_large_is_so_however_it_is_written(tmp_path: Path) -> None:
    texts = [
        "100 000 000 000 000,00",
        "123456789012345,5",
        "999\u00a0999\u00a0999\u00a0999\u00a0999\u00a0999",
        "1 000,50",
        "1.000",
    ]
    content = lines_of("transactions", *[{"amount": text, "commission": "1,5"} for text in texts], delimiter=";")
    checked = read_and_check(text_file(tmp_path, "transactions", content))
    assert checked.reasons == {**{row: ["amount_too_large"] for row in (1, 2, 3)}, 5: ["amount_invalid"]}


def test_amounts_are_read_to_more_decimals_than_any_currency_has() -> None:
    assert max(EXPONENTS.values()) <= AMOUNT_DECIMALS
    assert parsed("transactions", "amount", pl.Series([Decimal("1.234")], dtype=pl.Decimal(18, 3))) == [12_340]
    assert parsed("transactions", "amount", pl.Series([7, -7])) == [70_000, -70_000]
    assert parsed("transactions", "amount", pl.Series([0.1, 1.5, float("nan"), float("inf"), 1e300])) == [
        1_000,
        15_000,
        None,
        None,
        None,
    ]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(st.none() | st.integers(-(10**18) + 1, 10**18 - 1) | st.integers(-(10**9), 10**9), max_size=6),
    st.booleans(),
)
def test_decimal_and_whole_numbers_are_amounts_as_their_text_is(numbers: list[int | None], whole: bool) -> None:
    typed = pl.Series(numbers, dtype=pl.Int64)
    if not whole:
        typed = pl.Series(
            [None if number is None else Decimal(number).scaleb(-3) for number in numbers], dtype=pl.Decimal(18, 3)
        )
    assert parsed("transactions", "amount", typed) == parsed("transactions", "amount", typed.cast(pl.String))
