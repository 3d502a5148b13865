"""Step 3, Check: the contract of each feed. A rule's name is the reason that quarantine gives.

A row with a fault of form (see `engine.records`) is judged by that alone: what stands in its fields means nothing.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import dataframely as dy
import polars as pl

from engine.dialect import THOUSANDS_BLANK
from engine.fields import FAULT, ROW_NUMBER
from engine.parse import AMOUNT_DECIMALS

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE_TOLERANCE = timedelta(days=1)
MAX_PROCESSING_MS = 86_400_000

# Amounts of this many digits before the mark are refused: as ten-thousandths they come to the end of 64 bits.
MAX_AMOUNT_DIGITS = 15
_TOO_LARGE = 10 ** (MAX_AMOUNT_DIGITS - 1 + AMOUNT_DECIMALS)
_MOMENT: dict[str, Any] = {"time_zone": "UTC", "time_unit": "us", "nullable": True}

REFERENCE_CLOCK = "clock"
REFUSED_SCHEMA: dict[str, Any] = {ROW_NUMBER: pl.Int64, "reasons": pl.List(pl.String)}


def _rule(condition: pl.Expr) -> Any:
    return dy.rule()(lambda cls: condition)


def _present(column: str) -> Any:
    return _rule(pl.col(column).is_not_null())


def _present_unless_deleted(column: str) -> Any:
    return _rule(pl.col("is_deleted").fill_null(value=False) | pl.col(column).is_not_null())


def _parsed(column: str) -> Any:
    return _rule(pl.col(f"{column}_text").is_null() | pl.col(column).is_not_null())


def _not_old(column: str) -> Any:
    return _rule(pl.col(column) >= OLDEST)


def _not_future(column: str) -> Any:
    return _rule(pl.col(column) <= pl.col(REFERENCE_CLOCK) + FUTURE_TOLERANCE)


def _one_of(column: str, *members: str) -> Any:
    return _rule(pl.col(column).is_in(members))


def _matches(column: str, pattern: str) -> Any:
    return _rule(pl.col(column).str.contains(pattern))


def _exact(column: str) -> Any:
    """No more decimals than the currency has (an unknown currency is its own reason)."""
    beyond = pl.col(f"{column}_unusual").str.contains(r"[.,]\d{4}\d*[1-9]")
    return _rule(pl.col(column).is_null() | (pl.col(column) % pl.col("minor_step") == 0) & ~beyond)


def _is_huge(column: str) -> pl.Expr:
    return pl.col(f"{column}_unusual").str.contains(rf"^-?(?:\d{THOUSANDS_BLANK}?){{{MAX_AMOUNT_DIGITS},}}([.,]\d+)?$")


def _not_large(column: str) -> Any:
    return _rule(pl.coalesce(pl.col(column).abs() < _TOO_LARGE, ~_is_huge(column)))


def _amount_parsed(column: str) -> Any:
    too_large = _is_huge(column)
    return _rule(pl.col(f"{column}_text").is_null() | pl.col(column).is_not_null() | too_large)


def _fraction(column: str, lowest: float, highest: float) -> Any:
    text, value = pl.col(f"{column}_text"), pl.col(column)
    return _rule(text.is_null() | (value.is_not_null() & value.is_between(lowest, highest)))


class Contract(dy.Schema):
    """What every feed promises."""

    row_number = dy.Int64()
    clock = dy.Datetime(**_MOMENT)


class Transactions(Contract):
    """Feed `transactions`."""

    transaction_id = dy.String(nullable=True)
    transaction_ts = dy.Datetime(**_MOMENT)
    transaction_ts_text = dy.String(nullable=True)
    client_id = dy.String(nullable=True)
    service_id = dy.String(nullable=True)
    service_no = dy.Int16(nullable=True)
    channel_code = dy.String(nullable=True)
    location_code = dy.String(nullable=True)
    beneficiary_id = dy.String(nullable=True)
    currency = dy.String(nullable=True)
    currency_key = dy.Int16(nullable=True)
    minor_step = dy.Int64(nullable=True)
    amount = dy.Int64(nullable=True)
    amount_text = dy.String(nullable=True)
    amount_unusual = dy.String(nullable=True)
    commission = dy.Int64(nullable=True)
    commission_text = dy.String(nullable=True)
    commission_unusual = dy.String(nullable=True)
    status = dy.String(nullable=True)
    status_key = dy.Int16(nullable=True)
    processing_ms = dy.Int64(nullable=True)
    processing_ms_text = dy.String(nullable=True)
    updated_at = dy.Datetime(**_MOMENT)
    updated_at_text = dy.String(nullable=True)

    transaction_id_missing = _present("transaction_id")
    transaction_id_too_long = _rule(pl.col("transaction_id").str.len_chars() <= 64)
    transaction_ts_missing = _present("transaction_ts_text")
    transaction_ts_invalid = _parsed("transaction_ts")
    transaction_ts_too_old = _not_old("transaction_ts")
    transaction_ts_in_future = _not_future("transaction_ts")
    client_id_missing = _present("client_id")
    service_id_missing = _present("service_id")
    service_id_unknown = _rule(pl.col("service_id").is_null() | pl.col("service_no").is_not_null())
    currency_missing = _present("currency")
    currency_unknown = _rule(pl.col("currency").is_null() | pl.col("currency_key").is_not_null())
    amount_missing = _present("amount_text")
    amount_invalid = _amount_parsed("amount")
    amount_negative = _rule(pl.col("amount") >= 0)
    amount_too_precise = _exact("amount")
    amount_too_large = _not_large("amount")
    commission_invalid = _amount_parsed("commission")
    commission_negative = _rule(pl.col("commission") >= 0)
    commission_too_precise = _exact("commission")
    commission_too_large = _not_large("commission")
    status_missing = _present("status")
    status_unknown = _rule(pl.col("status").is_null() | pl.col("status_key").is_not_null())
    processing_ms_invalid = _fraction("processing_ms", 0, MAX_PROCESSING_MS)
    updated_at_invalid = _parsed("updated_at")


class Clients(Contract):
    """Feed `clients`."""

    client_id = dy.String(nullable=True)
    company_name = dy.String(nullable=True)
    msisdn = dy.String(nullable=True)
    email = dy.String(nullable=True)
    customer_segment = dy.String(nullable=True)
    company_size = dy.String(nullable=True)
    risk_level = dy.String(nullable=True)
    sector = dy.String(nullable=True)
    country_code = dy.String(nullable=True)
    city = dy.String(nullable=True)
    kyc_level = dy.Int64(nullable=True)
    kyc_level_text = dy.String(nullable=True)
    onboarded_on = dy.Date(nullable=True)
    onboarded_on_text = dy.String(nullable=True)
    effective_at = dy.Datetime(**_MOMENT)
    effective_at_text = dy.String(nullable=True)
    updated_at = dy.Datetime(**_MOMENT)
    updated_at_text = dy.String(nullable=True)
    is_deleted = dy.Bool(nullable=True)
    is_deleted_text = dy.String(nullable=True)

    client_id_missing = _present("client_id")
    customer_segment_missing = _present_unless_deleted("customer_segment")
    company_size_missing = _present_unless_deleted("company_size")
    company_size_unknown = _one_of("company_size", "MICRO", "SMALL", "MEDIUM", "LARGE")
    risk_level_missing = _present_unless_deleted("risk_level")
    risk_level_unknown = _one_of("risk_level", "LOW", "MEDIUM", "HIGH")
    country_code_invalid = _matches("country_code", "^[A-Z]{2}$")
    kyc_level_invalid = _fraction("kyc_level", 0, 3)
    onboarded_on_invalid = _parsed("onboarded_on")
    effective_at_missing = _present("effective_at_text")
    effective_at_invalid = _parsed("effective_at")
    effective_at_too_old = _not_old("effective_at")
    effective_at_in_future = _not_future("effective_at")
    updated_at_invalid = _parsed("updated_at")
    is_deleted_invalid = _parsed("is_deleted")


class Services(Contract):
    """Feed `services`."""

    service_id = dy.String(nullable=True)
    service_name = dy.String(nullable=True)
    category = dy.String(nullable=True)
    commission_rate = dy.Float64(nullable=True)
    commission_rate_text = dy.String(nullable=True)
    is_active = dy.Bool(nullable=True)
    is_active_text = dy.String(nullable=True)

    service_id_missing = _present("service_id")
    service_name_missing = _present("service_name")
    commission_rate_invalid = _fraction("commission_rate", 0, 5)
    is_active_invalid = _parsed("is_active")


class Channels(Contract):
    """Feed `channels`."""

    channel_code = dy.String(nullable=True)
    channel_name = dy.String(nullable=True)

    channel_code_missing = _present("channel_code")
    channel_name_missing = _present("channel_name")


class Locations(Contract):
    """Feed `locations`."""

    location_code = dy.String(nullable=True)
    city = dy.String(nullable=True)
    region = dy.String(nullable=True)
    country_code = dy.String(nullable=True)
    latitude = dy.Float64(nullable=True)
    latitude_text = dy.String(nullable=True)
    longitude = dy.Float64(nullable=True)
    longitude_text = dy.String(nullable=True)

    location_code_missing = _present("location_code")
    country_code_invalid = _matches("country_code", "^[A-Z]{2}$")
    latitude_invalid = _fraction("latitude", -90, 90)
    longitude_invalid = _fraction("longitude", -180, 180)


class FraudLabels(Contract):
    """Feed `fraud_labels`."""

    transaction_id = dy.String(nullable=True)
    is_fraud = dy.Bool(nullable=True)
    is_fraud_text = dy.String(nullable=True)
    reported_at = dy.Datetime(**_MOMENT)
    reported_at_text = dy.String(nullable=True)

    transaction_id_missing = _present("transaction_id")
    is_fraud_missing = _present("is_fraud_text")
    is_fraud_invalid = _parsed("is_fraud")
    reported_at_missing = _present("reported_at_text")
    reported_at_invalid = _parsed("reported_at")
    reported_at_too_old = _not_old("reported_at")
    reported_at_in_future = _not_future("reported_at")


CONTRACTS: dict[str, type[Contract]] = {
    "transactions": Transactions,
    "clients": Clients,
    "services": Services,
    "channels": Channels,
    "locations": Locations,
    "fraud_labels": FraudLabels,
}


def check(frame: pl.DataFrame, feed: str, clock: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split parsed rows into good ones and refused ones.

    Returns:
        The good rows, and a frame of `row_number` and `reasons` (list of strings, never empty) for the others.
    """
    frame = frame.with_columns(pl.lit(clock).cast(pl.Datetime("us", "UTC")).alias(REFERENCE_CLOCK))
    faulty = frame.filter(pl.col(FAULT).is_not_null()).select(ROW_NUMBER, pl.concat_list(FAULT).alias("reasons"))
    _, failure = CONTRACTS[feed].filter(frame.lazy())
    # Mostly there is neither, and then nothing is copied.
    if not len(failure) and not faulty.height:
        return frame, pl.DataFrame(schema=REFUSED_SCHEMA)
    judged = _reasons(failure.details()).join(faulty, on=ROW_NUMBER, how="anti")
    refused = pl.concat([faulty, judged])
    return frame.filter(~pl.col(ROW_NUMBER).is_in(refused[ROW_NUMBER].implode())), refused


def _reasons(details: pl.DataFrame) -> pl.DataFrame:
    rules = [name for name, dtype in details.schema.items() if isinstance(dtype, pl.Enum)]
    failed = pl.concat_list(
        pl.when(pl.col(rule).cast(pl.String) == "invalid").then(pl.lit(rule.split("|")[0])) for rule in rules
    )
    return details.select(pl.col(ROW_NUMBER), failed.list.drop_nulls().alias("reasons"))
