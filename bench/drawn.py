"""Transactions as the features read them, drawn, with something in every column: no feature is spared its work."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from bench.handbook import completed

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAYS, BENEFICIARIES, FRAUD_SHARE = 128, 10_000, 0.0084
SERVICES, CHANNELS, LOCATIONS = 12, 5, 75
# Of four time zones, one of which changes its clock in March.
COUNTRIES = ("CI", "KE", "MA", "CM", "SN", "GH")
SIZES, RISKS = ("MICRO", "SMALL", "MEDIUM", "LARGE"), ("LOW", "MEDIUM", "HIGH")
TAKEN_ON = date(2020, 1, 1)


def drawn(rows: int, clients: int = 5_000, days: float = DAYS, seed: int = 1) -> pl.DataFrame:
    """As many rows of so many clients over so many days, to the second, in the order of their moments.

    A client is about as busy as any other and pays some fifty beneficiaries around it, amounts have its own mean. One
    transaction of 76 has no place.
    """
    rng = np.random.default_rng(seed)
    client = rng.integers(1, clients + 1, rows)
    seconds = pl.Series(np.sort(rng.integers(0, int(days * 86_400), rows))).cast(pl.Int64)
    amount = np.abs(rng.normal(1, 0.5, rows)) * rng.uniform(5, 100, clients + 1)[client]
    paid = pl.DataFrame(
        {
            "client": client,
            "beneficiary": (client * BENEFICIARIES // clients + rng.integers(0, 50, rows)) % BENEFICIARIES + 1,
            "amount": np.round(amount, 2),
            "is_fraud": rng.random(rows) < FRAUD_SHARE,
            "service": rng.integers(1, SERVICES + 1, rows),
            "channel": rng.integers(1, CHANNELS + 1, rows),
            "location": rng.integers(0, LOCATIONS + 1, rows),
        }
    )
    return completed(
        paid.with_columns(
            moment=pl.lit(BEGIN) + seconds * pl.duration(seconds=1),
            location=pl.when(pl.col("location") > 0).then("location"),
        )
        .join(_clients(clients), on="client", how="left", maintain_order="left")
        .join(_locations(rng), on="location", how="left", maintain_order="left")
    )


def _clients(number: int) -> pl.DataFrame:
    client = np.arange(1, number + 1)
    return pl.DataFrame(
        {
            "client": client,
            "client_country": _of(COUNTRIES, client),
            "company_size": _of(SIZES, client),
            "risk_level": _of(RISKS, client),
            "kyc_level": client % 3,
            "onboarded_on": [TAKEN_ON + timedelta(days=int(one) % 1000) for one in client],
        }
    )


def _locations(rng: np.random.Generator) -> pl.DataFrame:
    location = np.arange(1, LOCATIONS + 1)
    return pl.DataFrame(
        {
            "location": location,
            "location_country": _of(COUNTRIES, location),
            "latitude": rng.uniform(-5, 35, LOCATIONS),
            "longitude": rng.uniform(-17, 42, LOCATIONS),
        }
    )


def _of(names: tuple[str, ...], keys: np.ndarray) -> list[str]:
    return [names[key % len(names)] for key in keys]
