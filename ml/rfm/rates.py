"""Rates by which amounts of several currencies become one: declared in a file, exact to the minor unit."""

import tomllib
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from warehouse.errors import ConfigurationError, DataRefusedError

DEFAULT_FILE = Path(__file__).with_name("rates.toml")

DECIMALS = 9
# A rate has nine decimals, and two currencies differ by four at most: in these parts every factor is a whole number.
_PARTS = 10 ** (DECIMALS + 4)

Currencies = dict[int, tuple[str, int]]  # key -> code, exponent


def _rate(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not value.is_finite() or value <= 0 or value >= 10**9:
        raise ValueError(f"{text!r} is not between 0 and a thousand million")
    if value != round(value, DECIMALS):
        raise ValueError(f"{text!r} has more than {DECIMALS} decimals")
    return text


class Rates(BaseModel):
    """Units of the reporting currency for one unit of each currency, as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    reporting: str
    rates: dict[str, Annotated[str, AfterValidator(_rate)]]

    @model_validator(mode="after")
    def _reports_in_its_own_unit(self) -> "Rates":
        if Decimal(self.rates.get(self.reporting, "0")) != 1:
            raise ValueError(f"the rate of the reporting currency {self.reporting} has to be there, and to be 1")
        return self


def read_rates(path: Path | None = None) -> Rates:
    """The declared rates; without a path, those that come with Cauri.

    Raises:
        ConfigurationError: the file is missing or contradicts itself; every problem is named.
    """
    file = path or DEFAULT_FILE
    remedy = "see docs/segments.md, or unset CAURI_RATES"
    try:
        return Rates.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ConfigurationError(f"{file} cannot be read: {exc.strerror}", remedy=remedy) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{file} is not TOML: {exc}", remedy=remedy) from None
    except ValidationError as exc:
        problems = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'file'}: {error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors()
        )
        raise ConfigurationError(f"{file} cannot be used: {problems}", remedy=remedy) from None


def exponent_of(rates: Rates, currencies: Currencies) -> int:
    """Decimals of the reporting currency.

    Raises:
        ConfigurationError: the warehouse does not know that currency.
    """
    for code, exponent in currencies.values():
        if code == rates.reporting:
            return exponent
    raise ConfigurationError(
        f"the reporting currency {rates.reporting} is not in dwh.dim_currency",
        remedy="name another one in the file of rates (CAURI_RATES)",
    )


def converted(amounts: pl.DataFrame, rates: Rates, currencies: Currencies) -> pl.DataFrame:
    """Sums by `client`, in minor units of the reporting currency (Int64), of a frame of `client`, `currency` and minor
    units in columns `*_minor`; other columns are counts and are added up. Each sum is rounded once, half up.

    Raises:
        DataRefusedError: there are amounts in a currency without a rate.
    """
    factors = _factors(rates, currencies)
    missing = sorted(set(amounts["currency"].to_list()) - set(factors))
    if missing:
        codes = ", ".join(currencies[key][0] if key in currencies else f"key {key}" for key in missing)
        raise DataRefusedError(
            f"there are amounts in {len(missing)} currency(ies) without a rate: {codes}",
            remedy="declare their rates in a file named by CAURI_RATES, then cauri rfm fit (docs/segments.md)",
            currencies=codes,
        )
    money = [name for name in amounts.columns if name.endswith("_minor")]
    counts = [name for name in amounts.columns if name not in ("client", "currency", *money)]
    return (
        amounts.join(_as_frame(factors), "currency")
        .with_columns(pl.col(name).cast(pl.Int128) * pl.col("factor") for name in money)
        .group_by("client")
        .agg(*(pl.col(name).sum() for name in (*counts, *money)))
        .with_columns(((pl.col(name) + _PARTS // 2) // _PARTS).cast(pl.Int64) for name in money)
        .sort("client")
    )


def _as_frame(factors: dict[int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        {"currency": list(factors), "factor": list(factors.values())},
        schema={"currency": pl.Int16, "factor": pl.Int128},
    )


def _factors(rates: Rates, currencies: Currencies) -> dict[int, int]:
    """Currency -> minor units of the reporting currency for one minor unit of it, in parts of `_PARTS`."""
    reporting = exponent_of(rates, currencies)
    return {
        key: int(Decimal(rates.rates[code]).scaleb(reporting - exponent) * _PARTS)
        for key, (code, exponent) in currencies.items()
        if code in rates.rates
    }


def in_units(minor: int, exponent: int) -> Decimal:
    """A number of minor units as a decimal."""
    return Decimal(minor).scaleb(-exponent).quantize(Decimal(1).scaleb(-exponent), rounding=ROUND_HALF_UP)
