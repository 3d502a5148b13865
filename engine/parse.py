"""Step 2, Read, last: text becomes moments, amounts and numbers; what does not parse stays visible beside its text.

For each typed column `x` the result has `x` (null where it could not be parsed) and `x_text` (what the file says; if
that was no text, only whether it says anything). An amount also has `x_unusual`: its text again, where that needs a
closer look than an ordinary amount does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import polars as pl

from engine.dialect import THOUSANDS_BLANK
from engine.feeds import Feed

MOMENT = pl.Datetime("us", "UTC")

# Amounts are read to four decimals, more than any currency of dim_currency has, as whole ten-thousandths.
AMOUNT_DECIMALS = 4
_AMOUNT = pl.Decimal(20, AMOUNT_DECIMALS)
NUMBER_SYNTAX = r"^-?\d+(\.\d+)?$"
# Neither too long for 64 bits nor with more decimals than are read: nearly every amount.
AMOUNT_DIGITS = 14
ORDINARY_AMOUNT = rf"^-?[0-9]{{1,{AMOUNT_DIGITS}}}(\.[0-9]{{1,{AMOUNT_DECIMALS}}})?$"

UTC_FORMATS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f%:z")
LOCAL_FORMATS = (
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
)
DAY_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y")
TRUE_WORDS = ("1", "true", "t", "yes", "y", "oui", "o", "vrai")
FALSE_WORDS = ("0", "false", "f", "no", "n", "non", "faux")

EPOCH_SYNTAX = r"^-?\d{9,11}$"

# Rows on which the format of a column is guessed; a wrong guess costs time, never a value.
PROBE_ROWS = 20


@dataclass(frozen=True)
class Locale:
    """What the text of a file cannot say itself: its time zone, and whether a comma is its decimal mark."""

    timezone: str
    decimal_comma: bool


def parse(frame: pl.DataFrame, feed: Feed, locale: Locale) -> pl.DataFrame:
    """Add the typed columns of a feed to a frame of text (or, from Parquet, of already typed columns)."""
    typed: list[pl.Series] = []
    for column in feed.columns:
        if column.kind == "text":
            if frame.schema[column.name] != pl.String:
                typed.append(frame[column.name].cast(pl.String))
            continue
        values = frame[column.name]
        typed.append(_told(values).alias(f"{column.name}_text"))
        if column.kind == "money":
            typed += _amounts(values, locale)
            continue
        typed.append(_PARSERS[column.kind](values, locale).alias(column.name))
    return frame.with_columns(typed)


def _told(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        return values
    # To write a moment as text takes 0.36 us, this 0.006.
    return pl.select(pl.when(values.is_not_null()).then(pl.lit(""))).to_series()


def _as_text(values: pl.Series) -> pl.Series:
    return values if values.dtype == pl.String else values.cast(pl.String)


def _moments(values: pl.Series, locale: Locale) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime):
        moments = values.dt.cast_time_unit("us")
        if values.dtype.time_zone is not None:
            return moments.dt.convert_time_zone("UTC")
        return moments.to_frame("moment").select(_localized(pl.col("moment"), locale)).to_series()
    if values.dtype == pl.Date:
        return _moments(values.cast(pl.Datetime("us")), locale)
    return _first_format(_as_text(values), _moment_formats(locale))


@cache
def _moment_formats(locale: Locale) -> list[pl.Expr]:
    text = pl.col("text")
    # Seconds hardly repeat: to remember each costs a sixth to a half of the time.
    utc, local = (
        [text.str.to_datetime(form, time_unit="us", strict=False, cache=False) for form in forms]
        for forms in (UTC_FORMATS, LOCAL_FORMATS)
    )
    days = [text.str.to_date(form, strict=False).cast(pl.Datetime("us")) for form in DAY_FORMATS]
    seconds = pl.when(text.str.contains(EPOCH_SYNTAX)).then(text).cast(pl.Int64, strict=False)
    return [
        *(moment.dt.replace_time_zone("UTC") for moment in utc[:2]),
        *(moment.dt.convert_time_zone("UTC") for moment in utc[2:]),
        *(_localized(moment, locale) for moment in local + days),
        (seconds * 1_000_000).cast(MOMENT),
    ]


def _localized(moments: pl.Expr, locale: Locale) -> pl.Expr:
    # An hour that the clock showed twice is taken as the first of the two; one that it skipped never was.
    zoned = moments.dt.replace_time_zone(locale.timezone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _first_format(values: pl.Series, formats: list[pl.Expr]) -> pl.Series:
    """Parse with the format that most of the first values have; try all of them on what is left."""
    text = values.to_frame("text")
    probe = text.drop_nulls().head(PROBE_ROWS)
    parsed = text.select(_likely(probe, formats).alias("value")).to_series()
    left = parsed.is_null() & values.is_not_null()
    if left.any():
        others = text.filter(left).select(pl.coalesce(formats)).to_series()
        parsed = parsed.scatter(left.arg_true(), others)
    return parsed


def _likely(probe: pl.DataFrame, formats: list[pl.Expr]) -> pl.Expr:
    if probe.select(formats[0].count()).item() == probe.height:
        return formats[0]
    hits = probe.select(form.count().alias(str(place)) for place, form in enumerate(formats)).row(0)
    return formats[hits.index(max(hits))]


def _days(values: pl.Series, locale: Locale) -> pl.Series:
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        return values.cast(pl.Date)
    return _first_format(_as_text(values), [pl.col("text").str.to_date(form, strict=False) for form in DAY_FORMATS])


def plain_number(values: pl.Series, locale: Locale) -> pl.Series:
    """Text of a number with a point as its mark and no blanks between thousands."""
    text = _as_text(values)
    if values.dtype == pl.String and locale.decimal_comma:
        # A point is no decimal mark here: "1.500" may mean 1500, and must not become 1.5.
        text = (
            text.str.replace_all(THOUSANDS_BLANK, "")
            .str.replace(".", "?", literal=True)
            .str.replace(",", ".", literal=True)
        )
    return text


def _amounts(values: pl.Series, locale: Locale) -> list[pl.Series]:
    unusual = pl.Series(f"{values.name}_unusual", [None], pl.String).new_from_index(0, len(values))
    if _are_ordinary(values):
        return [values.cast(_AMOUNT).to_physical().cast(pl.Int64), unusual]
    text = plain_number(values, locale).alias("text")
    ordinary = text.str.contains(ORDINARY_AMOUNT)
    amount = pl.when(ordinary).then(pl.col("text")).cast(_AMOUNT).to_physical().cast(pl.Int64)
    amounts = text.to_frame().select(amount.alias(values.name)).to_series()
    rest = (~ordinary).fill_null(value=False).arg_true()
    if len(rest):
        amounts = amounts.scatter(rest, _unusual_amounts(text.gather(rest)))
        unusual = unusual.scatter(rest, _as_text(values).gather(rest))
    return [amounts, unusual]


def _are_ordinary(values: pl.Series) -> bool:
    """Whether all of them are whole or decimal numbers, and such as `ORDINARY_AMOUNT` tells in text."""
    dtype = values.dtype
    if not dtype.is_integer() and not (isinstance(dtype, pl.Decimal) and dtype.scale <= AMOUNT_DECIMALS):
        return False
    least, most = values.min(), values.max()
    return least is None or (least > -(10**AMOUNT_DIGITS) and most < 10**AMOUNT_DIGITS)


def _unusual_amounts(text: pl.Series) -> pl.Series:
    valid = pl.col("text").str.contains(NUMBER_SYNTAX)
    amount = pl.when(valid).then(pl.col("text")).cast(_AMOUNT, strict=False).to_physical().cast(pl.Int64, strict=False)
    return text.to_frame().select(amount).to_series()


def _whole(values: pl.Series, locale: Locale) -> pl.Series:
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    return _as_text(values).cast(pl.Int64, strict=False)


def _number(values: pl.Series, locale: Locale) -> pl.Series:
    if values.dtype.is_numeric():
        return values.cast(pl.Float64)
    text = plain_number(values, locale).to_frame("text")
    return text.select(
        pl.when(pl.col("text").str.contains(NUMBER_SYNTAX)).then(pl.col("text")).cast(pl.Float64)
    ).to_series()


def _boolean(values: pl.Series, locale: Locale) -> pl.Series:
    if values.dtype == pl.Boolean:
        return values
    words = dict.fromkeys(TRUE_WORDS, True) | dict.fromkeys(FALSE_WORDS, False)
    return _as_text(values).str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)


_PARSERS: dict[str, Callable[[pl.Series, Locale], pl.Series]] = {
    "moment": _moments,
    "day": _days,
    "whole": _whole,
    "number": _number,
    "boolean": _boolean,
}


@dataclass(frozen=True)
class Domains:
    """What a row may refer to, and the moment against which "in the future" is judged.

    `services` has `service_id`, `commission_rate` (percent), `is_active`; `currencies` has `currency`, `currency_key`
    (Int16), `exponent`. A service is known by its place in `services` for the length of a run.
    """

    services: pl.DataFrame
    currencies: pl.DataFrame
    statuses: dict[str, int]
    clock: datetime


def refer(frame: pl.DataFrame, domains: Domains) -> pl.DataFrame:
    """Add to parsed transactions: `currency_key`, `status_key`, `service_no`, null where unknown, and `minor_step`.

    `minor_step` is what one minor unit of the currency is in the ten-thousandths in which amounts are read.
    """
    currencies = domains.currencies
    steps = dict(zip(currencies["currency_key"], 10 ** (AMOUNT_DECIMALS - currencies["exponent"]), strict=True))
    return frame.with_columns(
        _replaced("currency", dict(currencies.select("currency", "currency_key").iter_rows())).alias("currency_key"),
        _replaced("status", domains.statuses).alias("status_key"),
        _replaced("service_id", {name: place for place, name in enumerate(domains.services["service_id"])}).alias(
            "service_no"
        ),
    ).with_columns(minor_step=pl.lit(_by_key(steps)).gather(pl.col("currency_key")))


def _by_key(values: dict[int, int]) -> pl.Series:
    """Values (Int64) at the places of their keys: to gather them takes a quarter of replacing."""
    return pl.Series([values.get(key) for key in range(max(values, default=-1) + 1)], dtype=pl.Int64)


def _replaced(column: str, members: dict[str, int]) -> pl.Expr:
    place = pl.col(column).cast(pl.Enum(list(members)), strict=False).to_physical()
    return pl.lit(pl.Series(members.values(), dtype=pl.Int16)).gather(place)
