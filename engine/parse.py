"""Step 2, Read, last: text becomes moments, amounts and numbers; what does not parse stays visible beside its text.

For each typed column `x` the result has `x` (null where it could not be parsed) and `x_text` (what the file says).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from engine.feeds import Feed

MOMENT = pl.Datetime("us", "UTC")

# Amounts are read to four decimals, more than any currency of dim_currency has, as whole ten-thousandths.
AMOUNT_DECIMALS = 4
_AMOUNT = pl.Decimal(20, AMOUNT_DECIMALS)
NUMBER_SYNTAX = r"^-?\d+(\.\d+)?$"

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
        typed.append(_as_text(values).alias(f"{column.name}_text"))
        typed.append(_PARSERS[column.kind](values, locale).alias(column.name))
    return frame.with_columns(typed)


def _as_text(values: pl.Series) -> pl.Series:
    return values if values.dtype == pl.String else values.cast(pl.String)


def _moments(values: pl.Series, locale: Locale) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime):
        moments = values.dt.cast_time_unit("us")
        return _localized(moments, locale) if values.dtype.time_zone is None else moments.dt.convert_time_zone("UTC")
    if values.dtype == pl.Date:
        return _localized(values.cast(pl.Datetime("us")), locale)
    return _first_format(_as_text(values), _moment_parsers(locale), MOMENT)


def _moment_parsers(locale: Locale) -> list[Callable[[pl.Series], pl.Series]]:
    def utc(pattern: str) -> Callable[[pl.Series], pl.Series]:
        if pattern.endswith("Z"):
            return lambda text: text.str.to_datetime(pattern, time_unit="us", strict=False).dt.replace_time_zone("UTC")
        return lambda text: text.str.to_datetime(pattern, time_unit="us", strict=False).dt.convert_time_zone("UTC")

    def local(pattern: str) -> Callable[[pl.Series], pl.Series]:
        return lambda text: _localized(text.str.to_datetime(pattern, time_unit="us", strict=False), locale)

    def local_day(pattern: str) -> Callable[[pl.Series], pl.Series]:
        return lambda text: _localized(text.str.to_date(pattern, strict=False).cast(pl.Datetime("us")), locale)

    def epoch(text: pl.Series) -> pl.Series:
        seconds = text.to_frame("s").select(pl.when(pl.col("s").str.contains(r"^-?\d{9,11}$")).then(pl.col("s"))).to_series()
        return (seconds.cast(pl.Int64) * 1_000_000).cast(MOMENT)

    return [
        *map(utc, UTC_FORMATS),
        *map(local, LOCAL_FORMATS),
        *map(local_day, DAY_FORMATS),
        epoch,
    ]


def _localized(moments: pl.Series, locale: Locale) -> pl.Series:
    # An hour that the clock showed twice is taken as the first of the two; one that it skipped never was.
    return moments.dt.replace_time_zone(locale.timezone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _first_format(text: pl.Series, parsers: list[Callable[[pl.Series], pl.Series]], dtype: pl.DataType) -> pl.Series:
    """Parse with the format that most of the first values have; try the others on what is left only."""
    probe = text.drop_nulls().head(PROBE_ROWS)
    if probe.is_empty():
        return pl.Series(text.name, [None] * len(text), dtype)
    hits = [len(probe) - parser(probe).null_count() for parser in parsers]
    order = sorted(range(len(parsers)), key=lambda at: -hits[at])
    values = parsers[order[0]](text)
    for at in order[1:]:
        left = values.is_null() & text.is_not_null()
        if not left.any():
            break
        found = parsers[at](text.filter(left))
        if found.null_count() < len(found):
            values = values.scatter(left.arg_true(), found)
    return values


def _days(values: pl.Series, locale: Locale) -> pl.Series:
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        return values.cast(pl.Date)
    parsers: list[Callable[[pl.Series], pl.Series]] = [_day_parser(pattern) for pattern in DAY_FORMATS]
    return _first_format(_as_text(values), parsers, pl.Date())


def _day_parser(pattern: str) -> Callable[[pl.Series], pl.Series]:
    return lambda text: text.str.to_date(pattern, strict=False)


def plain_number(values: pl.Series, locale: Locale) -> pl.Series:
    """Text of a number with a point as its mark and no blanks between thousands."""
    text = _as_text(values)
    if values.dtype == pl.String and locale.decimal_comma:
        text = text.str.replace_all("[  \u202f]", "").str.replace(",", ".", literal=True)
    return text


def _amounts(values: pl.Series, locale: Locale) -> pl.Series:
    text = plain_number(values, locale).to_frame("text")
    valid = pl.col("text").str.contains(NUMBER_SYNTAX)
    amount = pl.when(valid).then(pl.col("text")).cast(_AMOUNT, strict=False).to_physical().cast(pl.Int64, strict=False)
    return text.select(amount).to_series()


def _whole(values: pl.Series, locale: Locale) -> pl.Series:
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    return _as_text(values).cast(pl.Int64, strict=False)


def _number(values: pl.Series, locale: Locale) -> pl.Series:
    if values.dtype.is_numeric():
        return values.cast(pl.Float64)
    text = plain_number(values, locale).to_frame("text")
    return text.select(pl.when(pl.col("text").str.contains(NUMBER_SYNTAX)).then(pl.col("text")).cast(pl.Float64)).to_series()


def _boolean(values: pl.Series, locale: Locale) -> pl.Series:
    if values.dtype == pl.Boolean:
        return values
    words = dict.fromkeys(TRUE_WORDS, True) | dict.fromkeys(FALSE_WORDS, False)
    return _as_text(values).str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)


_PARSERS: dict[str, Callable[[pl.Series, Locale], pl.Series]] = {
    "moment": _moments,
    "day": _days,
    "money": _amounts,
    "whole": _whole,
    "number": _number,
    "boolean": _boolean,
}


@dataclass(frozen=True)
class Domains:
    """What a row may refer to, and the moment against which "in the future" is judged."""

    services: pl.Series
    currencies: pl.DataFrame  # currency (String), currency_key (Int16), exponent (Int16)
    statuses: dict[str, int]
    clock: datetime


def refer(frame: pl.DataFrame, domains: Domains) -> pl.DataFrame:
    """Add to parsed transactions: `currency_key`, `exponent`, `status_key`, `service_known`."""
    exponents = dict(domains.currencies.select("currency", "exponent").iter_rows())
    keys = dict(domains.currencies.select("currency", "currency_key").iter_rows())
    return frame.with_columns(
        currency_key=pl.col("currency").replace_strict(keys, default=None, return_dtype=pl.Int16),
        exponent=pl.col("currency").replace_strict(exponents, default=None, return_dtype=pl.Int16),
        status_key=pl.col("status").replace_strict(domains.statuses, default=None, return_dtype=pl.Int16),
        service_known=pl.col("service_id").is_in(domains.services.implode()),
    )


