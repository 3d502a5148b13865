"""Values on one scale: capped, logarithms, mean 0 and deviation 1, with the parameters that are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

AXES = ("recency", "frequency", "monetary_minor")
# Amounts of companies follow a power law: without a cap the few largest would be a cluster of their own.
CAP_QUANTILE = 0.995
# What is kept has so many decimals: beyond them, sums depend on the order in which a machine adds.
KEPT_DECIMALS = 9


@dataclass(frozen=True)
class Scaling:
    """Caps in the units of the values (days, transactions, minor units); means and deviations of the logarithms.

    `exponent`: decimals of the currency. Recency is turned round, so that more is better on each axis.
    """

    caps: tuple[int, int, int]
    means: tuple[float, float, float]
    deviations: tuple[float, float, float]
    exponent: int

    def apply(self, clients: pl.DataFrame) -> Floats:
        """One row a client, one column an axis: recent, frequent, valuable."""
        centred = _logarithms(clients, self.caps, self.exponent) - np.array(self.means)
        scaled: Floats = centred / np.array(self.deviations)
        return scaled


def fit_scaling(clients: pl.DataFrame, exponent: int) -> Scaling:
    """The scaling of active clients. An axis on which all are equal gets the deviation 1, and so the value 0."""
    row = clients.select(pl.col(name).quantile(CAP_QUANTILE, "nearest") for name in AXES).row(0)
    caps = (int(row[0]), int(row[1]), int(row[2]))
    logarithms = _logarithms(clients, caps, exponent)
    deviations = kept(logarithms.std(axis=0))
    return Scaling(
        caps, _three(kept(logarithms.mean(axis=0))), _three([one if one > 0 else 1.0 for one in deviations]), exponent
    )


def _logarithms(clients: pl.DataFrame, caps: Sequence[int], exponent: int) -> Floats:
    recency, frequency, minor = (
        np.minimum(clients[name].to_numpy(), cap).astype(np.float64) for name, cap in zip(AXES, caps, strict=True)
    )
    return np.stack([-np.log1p(recency), np.log1p(frequency), np.log1p(minor / 10**exponent)], axis=1)


def kept(values: Floats) -> list[float]:
    """As a model keeps them."""
    return [float(one) for one in np.round(values, KEPT_DECIMALS)]


def _three(values: Sequence[Any]) -> tuple[Any, Any, Any]:
    one, two, three = values
    return one, two, three
