"""What was true of the client at the transaction: the version of it that the fact points at."""

import numpy as np
import polars as pl

from ml.features.timeline import DAY, Columns, Floats
from ml.features.view import View, named

SIZES = {"MICRO": 0, "SMALL": 1, "MEDIUM": 2, "LARGE": 3}
RISK_LEVELS = {"LOW": 0, "MEDIUM": 1, "HIGH": 2}


def client(view: View) -> Columns:
    """Size, risk and checks as ordered numbers, and the days since the client was taken on."""
    frame = view.told
    first_day = frame["onboarded_on"].to_physical().cast(pl.Float64).to_numpy()
    return {
        "client_size": _ranked(view, "company_size", SIZES),
        "client_risk_level": _ranked(view, "risk_level", RISK_LEVELS),
        "client_kyc_level": frame["kyc_level"].cast(pl.Float64).to_numpy(),
        "client_tenure_days": view.moment.take(view.rows) // DAY - first_day,
    }


def _ranked(view: View, column: str, ranks: dict[str, int]) -> Floats:
    if view.is_empty(column):
        return np.full(len(view.rows), np.nan)
    number, names = named(view.told, column)
    return np.array([ranks.get(name or "", np.nan) for name in names]).take(number)
