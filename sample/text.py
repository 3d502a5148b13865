"""Rows of numbers as the columns of a transactions file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from sample import beneficiaries, rows
from sample.calendar import DAY_SECONDS, epoch
from sample.catalogue import CHANNELS, SERVICES, STATUSES
from sample.clients import client_ids
from sample.dialect import Dialect
from sample.dice import Array
from sample.dirt import CONFLICT
from sample.monthly import UNKNOWN_CLIENTS
from sample.places import CURRENCIES, EXPONENTS, PLACES
from sample.plan import SamplePlan, month_starts
from sample.rows import Rows

# Stands where a prepared line goes; no clean field holds it.
PLACEHOLDER = "\x01"
_TEN_THOUSANDS = pl.Series([f"{number:04d}" for number in range(10_000)])
_SIXTY = [f"{number:02d}" for number in range(60)]
_MINUTES = [f"{hour}:{minute}" for hour in _SIXTY[:24] for minute in _SIXTY]
_SERVICE_IDS = pl.Series([service.service_id for service in SERVICES])
_CHANNEL_CODES = pl.Series([channel.code for channel in CHANNELS])
_PLACE_CODES = pl.Series([*(place.code for place in PLACES), None], dtype=pl.String)
_CURRENCY_CODES = pl.Series(CURRENCIES)
_STATUS_CODES = pl.Series(STATUSES)
_HAS_CENTS = np.array(EXPONENTS) == 2
_NO_CENTS = 100


@dataclass(frozen=True)
class Wording:
    """The texts of one dialect: days, clock times, cents, identifiers."""

    origin: int
    days: pl.Series
    seconds: pl.Series
    cents: pl.Series
    id_days: pl.Series  # the last one is the placeholder
    clients: pl.Series


def wording(plan: SamplePlan, dialect: Dialect) -> Wording:
    clock = "" if dialect.french else "Z"
    cents = [f"{dialect.decimal_mark}{number:02d}" for number in range(100)]
    return Wording(
        epoch(plan.start),
        pl.Series([f"{day:%d/%m/%Y} " if dialect.french else f"{day:%Y-%m-%d}T" for day in _days(plan)]),
        pl.Series([f"{minute}:{second}{clock}" for minute in _MINUTES for second in _SIXTY]),
        pl.Series([*cents, ""]),
        id_days(plan),
        client_ids(plan.client_count + UNKNOWN_CLIENTS),
    )


def transactions(table: Rows, words: Wording) -> pl.DataFrame:
    """Text columns under their canonical names; lines prepared elsewhere hold a placeholder."""
    return pl.select(
        transaction_ids(table, words.id_days).alias("transaction_id"),
        moments(table["ts"], words).alias("transaction_ts"),
        _pick(words.clients, table["client"]).alias("client_id"),
        _pick(_SERVICE_IDS, table["service"]).alias("service_id"),
        _pick(_CHANNEL_CODES, table["channel"]).alias("channel_code"),
        _pick(_PLACE_CODES, table["place"]).alias("location_code"),
        beneficiaries.text(table["prefix"], table["number"]).alias("beneficiary_id"),
        _pick(_CURRENCY_CODES, table["currency"]).alias("currency"),
        _money(table["amount"], table["currency"], words).alias("amount"),
        _money(table["commission"], table["currency"], words).alias("commission"),
        _pick(_STATUS_CODES, table["status"]).alias("status"),
        _duration(table["ms"]).alias("processing_ms"),
        moments(table["updated"], words).alias("updated_at"),
    )


def id_days(plan: SamplePlan) -> pl.Series:
    """Heads of the transaction identifiers of each day, and the placeholder."""
    return pl.Series([*(f"TX-{day:%y%m%d}-" for day in _days(plan)), PLACEHOLDER])


def transaction_ids(table: Rows, id_days: pl.Series) -> pl.Expr:
    high, low = np.divmod(table["id_number"], np.uint32(10_000))
    return pl.concat_str(_pick(id_days, table["id_day"]), _pick(_TEN_THOUSANDS, high), _pick(_TEN_THOUSANDS, low))


def with_placeholders(table: Rows, words: Wording) -> Rows:
    """The rows as the clean file shows them: those with prepared lines marked."""
    marked = np.where(is_prepared(table), np.uint16(len(words.id_days) - 1), table["id_day"])
    return table | {"id_day": marked}


def is_prepared(table: Rows) -> Array:
    """Bad rows, but for those that are bad only in the company of another row."""
    prepared: Array = (table["fate"] == rows.REJECTED) & (table["reason"] != CONFLICT)
    return prepared


def moments(seconds: Array, words: Wording) -> pl.Expr:
    day, second = np.divmod((seconds - words.origin).astype(np.uint32), np.uint32(DAY_SECONDS))
    return pl.concat_str(_pick(words.days, day), _pick(words.seconds, second))


def _days(plan: SamplePlan) -> list[date]:
    """The days of the period and two more: what starts in its last minute ends after it."""
    length = (month_starts(plan)[-1] - plan.start).days + 2
    return [plan.start + timedelta(days=offset) for offset in range(length)]


def _pick(choices: pl.Series, index: Array) -> pl.Series:
    return choices.gather(pl.Series(index.astype(np.uint32, copy=False)))


def _money(minor: Array, currency: Array, words: Wording) -> pl.Expr:
    with_cents = _HAS_CENTS[currency]
    whole, rest = np.divmod(minor, 100)
    whole = np.where(with_cents, whole, minor)
    cents = np.where(with_cents, rest, _NO_CENTS)
    return pl.concat_str(pl.Series(whole).cast(pl.String), _pick(words.cents, cents))


def _duration(ms: Array) -> pl.Expr:
    known = pl.lit(pl.Series(ms))
    return pl.when(known >= 0).then(known)
