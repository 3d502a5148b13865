"""Who is compared: Cauri's model as it is trained, its challengers, and what an evening's work would give."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml.features.catalogue import FEATURES, Feature
from ml.fraud import handbook
from ml.fraud.boosters import BoosterParameters
from ml.fraud.imbalance import Imbalance
from ml.fraud.models import Kind
from ml.fraud.protocol import HANDBOOK, Protocol


@dataclass(frozen=True)
class Contender:
    """A model under a name. `extended`: trained on all that was labelled by then, whatever the protocol's window."""

    name: str
    kind: Kind = Kind.XGBOOST
    features: Sequence[Feature] = FEATURES
    parameters: BoosterParameters | None = None
    imbalance: Imbalance = Imbalance.NONE
    extended: bool = False


CAURI = Contender("Cauri")
EXTENDED = Contender("Cauri, extended history", extended=True)
# What is compared with each other, in a quarter of the time that the mean of four fits takes.
ONE_BAG = BoosterParameters(bags=1)
OTHERS = (
    Contender("one bag", parameters=ONE_BAG),
    Contender("one bag, class weight", parameters=ONE_BAG, imbalance=Imbalance.WEIGHT),
    Contender("one bag, SMOTE", parameters=ONE_BAG, imbalance=Imbalance.SMOTE),
    Contender("LightGBM, one bag", Kind.LIGHTGBM, parameters=ONE_BAG),
    Contender("logistic regression", Kind.LOGISTIC),
    Contender("two-line rule", Kind.RULE),
)
THEIRS = (
    Contender("Handbook's XGBoost", features=handbook.FEATURES, parameters=handbook.CHOSEN),
    Contender("Handbook's, best on its tests", features=handbook.FEATURES, parameters=handbook.BEST),
)


def contenders(protocol: Protocol) -> tuple[Contender, ...]:
    """Those of a protocol; the first is the one that is reported in detail."""
    if protocol is HANDBOOK:
        return (CAURI, EXTENDED, *THEIRS, *OTHERS)
    return (CAURI, *OTHERS)
