"""Why a score is high: exact contributions of the features, by family, and the reasons that a person reads."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ml.features.catalogue import Feature
from ml.fraud.boosters import XgboostModel
from ml.fraud.examples import Floats, Matrix
from warehouse.errors import ModelError

REASONS_FILE = Path(__file__).with_name("reasons.toml")
REASONS_GIVEN = 3

# Contributions and margin are sums of 32-bit floats in another order.
SUM_TOLERANCE = 1e-4

LANGUAGES = ("en", "fr")


@dataclass(frozen=True)
class Explanations:
    """Contributions to the margin in log-odds: `by_feature` and `by_family` have a row a transaction.

    Each row adds up, with `base`, to the margin.
    """

    families: tuple[str, ...]
    by_feature: Floats
    by_family: Floats
    base: Floats

    def reasons(self) -> list[list[str]]:
        """The families that raise the margin most, three at most, strongest first, one list a transaction."""
        order = np.argsort(-self.by_family, axis=1, kind="stable")[:, :REASONS_GIVEN]
        raised = np.take_along_axis(self.by_family, order, axis=1) > 0
        return [
            [self.families[place] for place, raises in zip(places, up, strict=True) if raises]
            for places, up in zip(order, raised, strict=True)
        ]


def explain(model: XgboostModel, matrix: Matrix, margin: Floats) -> Explanations:
    """Exact TreeSHAP of rows whose margins are known.

    Raises:
        ModelError: a row's contributions do not add up to its margin.
    """
    by_feature = model.contributions_of(matrix)
    off = float(np.abs(by_feature.sum(axis=1) - margin).max(initial=0.0))
    if off >= SUM_TOLERANCE:
        raise ModelError(
            f"contributions differ from the margin by {off:.2e}, more than {SUM_TOLERANCE:.0e}",
            remedy="no score was written; report this with the model's manifest",
        )
    families = families_of(model.features)
    column = {family: place for place, family in enumerate(families)}
    by_family = np.zeros((len(by_feature), len(families)))
    for place, feature in enumerate(model.features):
        by_family[:, column[feature.family]] += by_feature[:, place]
    return Explanations(families, by_feature[:, :-1], by_family, by_feature[:, -1])


def families_of(features: Sequence[Feature]) -> tuple[str, ...]:
    """Families in the order in which the list names them."""
    return tuple(dict.fromkeys(feature.family for feature in features))


@cache
def reason_texts() -> dict[str, dict[str, str]]:
    """Reason code (the name of a family) -> what it says in each language."""
    return tomllib.loads(REASONS_FILE.read_text(encoding="utf-8"))


def text_of(reason: str, language: str = "en") -> str:
    """What a reason code says; a code of an older list says its name."""
    return reason_texts().get(reason, {}).get(language, reason.replace("_", " "))
