"""What is fitted on examples: one call, four kinds of model, one answer to give."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import polars as pl

from ml.features.catalogue import Feature
from ml.fraud.baselines import fit_logistic, fit_rule
from ml.fraud.boosters import BoosterParameters, fit_lightgbm, fit_xgboost
from ml.fraud.examples import Floats, in_order, labels_of, matrix_of
from ml.fraud.imbalance import Imbalance, balanced

SEED = 0

# The rule's two columns: the amount, and the first of these risks that the features have.
RULE_AMOUNT = "amount"


class Kind(StrEnum):
    """What can be fitted."""

    XGBOOST = "xgboost"
    LIGHTGBM = "lightgbm"
    LOGISTIC = "logistic"
    RULE = "rule"


class Fitted(Protocol):
    """A fitted model."""

    def margin(self, frame: pl.DataFrame) -> Floats:
        """A number a row, the higher the likelier fraud; log-odds where the model has them."""


def fit(
    kind: Kind | str,
    examples: pl.DataFrame,
    features: Sequence[Feature],
    *,
    seed: int = SEED,
    imbalance: Imbalance | str = Imbalance.NONE,
    parameters: BoosterParameters | None = None,
) -> Fitted:
    """Fit a model on the rows of a training fold.

    Examples have the features, `is_fraud`, `transaction_ts`, `transaction_id`, and `amount` for the rule. The order
    in which they come makes no difference.

    Raises:
        TrainingError: no labels, or all of one kind.
        ModelError: a feature is missing.
    """
    kind = Kind(kind)
    examples = in_order(examples)
    labels = labels_of(examples)
    if kind is Kind.RULE:
        return fit_rule(examples[RULE_AMOUNT].to_numpy(), labels, RULE_AMOUNT, _risk(features))
    sample = balanced(matrix_of(examples, features), labels, Imbalance(imbalance), seed)
    if kind is Kind.LOGISTIC:
        return fit_logistic(sample, features, seed)
    grow = fit_xgboost if kind is Kind.XGBOOST else fit_lightgbm
    return grow(sample, features, seed, parameters or BoosterParameters())


def _risk(features: Sequence[Feature]) -> str | None:
    """The counterparty's delayed risk over the shortest window."""
    return next((feature.name for feature in features if feature.family == "counterparty_risk"), None)
