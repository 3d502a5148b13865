"""A model from the warehouse: fitted, calibrated and given its limits on windows that follow each other, and kept."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from ml.features.catalogue import FEATURES
from ml.fraud.boosters import THREADS, BoosterParameters, XgboostModel
from ml.fraud.calibration import calibrate
from ml.fraud.drift import reference_of
from ml.fraud.examples import ORDER, Floats, in_order
from ml.fraud.imbalance import Imbalance
from ml.fraud.judgement import judge
from ml.fraud.manifest import Manifest, commit_of_code, described, library_versions
from ml.fraud.models import SEED, Kind, fit
from ml.fraud.registry import Registered, Registry, contents_of, hashes_of
from ml.fraud.rows import examples_of, labels_before, rows_by_day
from ml.fraud.thresholds import Window, Wishes, choose
from ml.fraud.windows import Days, Lengths, Windows, windows
from ml.transactions import Transactions
from warehouse.connection import connect
from warehouse.errors import CauriError, TrainingError
from warehouse.ledger import close_run, open_run
from warehouse.queries import query

Say = Callable[[str], None]
# Days -> their examples, part by part: of all windows at once a large warehouse has more than fits in memory.
Given = Callable[[Days], Iterator[pl.DataFrame]]


@dataclass(frozen=True)
class Order:
    """What is to be trained. `until`: as of the beginning of that day; None is the day after the newest transaction."""

    until: date | None = None
    lengths: Lengths = field(default_factory=Lengths)
    imbalance: Imbalance = Imbalance.NONE
    wishes: Wishes = field(default_factory=Wishes)
    # One bag: scoring takes as long as there are trees.
    parameters: BoosterParameters = field(default_factory=lambda: BoosterParameters(bags=1))
    seed: int = SEED
    promote: bool = False


@dataclass(frozen=True)
class Trained:
    """What came of it; `champion` is how the champion before would have done on the same threshold window.

    `is_shadow`: it scores beside the champion from now on. A version of the stage shadow waits only, where another one
    learned from later days.
    """

    version: str
    stage: str
    is_shadow: bool
    manifest: Manifest
    champion: dict[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        names = ("windows", "label_delay_days", "metrics", "thresholds", "imbalance", "seed")
        document = asdict(self.manifest)
        return {
            "model_version": self.version,
            "stage": self.stage,
            **{name: document[name] for name in names},
            "calibration": self.manifest.calibrator.method,
            "champion_on_the_same_days": self.champion,
        }


def train(url: str, registry: Registry, order: Order, say: Say) -> Trained:
    """Train and register: as champion if there is none or it is wished, else as shadow.

    Raises:
        TrainingError: labels or transactions do not suffice; the message names the window.
    """
    started_at = datetime.now(UTC)
    with connect(url) as connection:
        days = rows_by_day(connection)
        newest = connection.execute(query("scores/newest_run")).fetchone()
    until = order.until or (max(days) + timedelta(days=1) if days else started_at.date())
    found = windows(days, until, order.lengths)
    labels = labels_before(url, until)
    _require_labels(labels, until)
    before, transactions = _champion(registry), Transactions(url)
    made = _made(lambda days_of: examples_of(transactions, days_of, days, labels), found, order, before, say)
    version = registry.register(made.model, made.manifest, made.reference, promote=order.promote)
    stage, is_shadow = registry.stages.of(version), registry.shadow == version
    trained = Trained(version, stage, is_shadow, made.manifest, made.champion)
    summary = {**trained.to_json(), "after_run": int(newest[0]) if newest else 0}
    with connect(url) as connection, connection.transaction():
        close_run(connection, open_run(connection, "fraud train", version, started_at), "done", summary)
    return trained


def _require_labels(labels: pl.DataFrame, until: date) -> None:
    if labels.is_empty():
        raise TrainingError(
            f"the warehouse has no label that was reported before {until}",
            remedy="load the feed fraud_labels (docs/feeds.md): transaction_id, is_fraud, reported_at",
        )


@dataclass(frozen=True)
class Made:
    """A model with all that stands beside it. `champion`: as in `Trained`."""

    model: XgboostModel
    manifest: Manifest
    reference: dict[str, Any]
    champion: dict[str, Any] | None


def _made(given: Given, found: Windows, order: Order, before: Registered | None, say: Say) -> Made:
    say(f"features of {found.train.since} to before {found.train.until}")
    examples = in_order(pl.concat(given(found.train)))
    say(f"fitting on {examples.height:,} transactions")
    model = fit(
        Kind.XGBOOST, examples, FEATURES, seed=order.seed, imbalance=order.imbalance, parameters=order.parameters
    )
    assert isinstance(model, XgboostModel)
    learned, matrix = examples.select("transaction_id", "is_fraud"), model.matrix(examples)
    del examples
    say(f"margins of {found.calibration.since} to before {found.threshold.until}")
    later, last = (_margins(given(days), model, before) for days in (found.calibration, found.threshold))
    calibrator = calibrate(later["margin"].to_numpy(), later["is_fraud"].to_numpy())
    window = _window(last, calibrator.score(last["margin"].to_numpy()), found.threshold)
    thresholds = choose(window, order.wishes)
    reference = reference_of(matrix, calibrator.score(model.margin_of(matrix)), FEATURES)
    manifest = Manifest(
        kind=Kind.XGBOOST.value,
        features=described(FEATURES),
        files=hashes_of(contents_of(model, reference)),
        data_sha256=_hash_of(learned, matrix),
        windows={
            name: _described(days, part)
            for name, days, part in (
                ("train", found.train, learned),
                ("calibration", found.calibration, later),
                ("threshold", found.threshold, last),
            )
        },
        label_delay_days=order.lengths.delay,
        imbalance=order.imbalance.value,
        parameters=asdict(order.parameters),
        seed=order.seed,
        nthread=THREADS,
        fill=None if model.fill is None else tuple(float(value) for value in model.fill),
        calibrator=calibrator,
        thresholds=thresholds,
        wishes=asdict(order.wishes),
        metrics=judge(window, thresholds),
        libraries=library_versions(),
        commit=commit_of_code(),
    )
    return Made(model, manifest, reference, _compared(before, last, found.threshold))


def _margins(parts: Iterable[pl.DataFrame], model: XgboostModel, before: Registered | None) -> pl.DataFrame:
    """Of a window, in its order: `is_fraud`, `amount`, `margin`, and `before`, that of the champion if there is one."""
    models = {"margin": model} | ({"before": before.model} if before else {})
    return in_order(
        pl.concat(
            part.select(
                *ORDER, "is_fraud", "amount", **{name: pl.Series(one.margin(part)) for name, one in models.items()}
            )
            for part in parts
        )
    )


def _window(rows: pl.DataFrame, score: Floats, days: Days) -> Window:
    return Window(score, rows["is_fraud"].to_numpy(), rows["amount"].to_numpy(), days.number)


def _described(days: Days, rows: pl.DataFrame) -> dict[str, Any]:
    return {**days.to_json(), "rows": rows.height, "frauds": int(rows["is_fraud"].sum())}


def _hash_of(examples: pl.DataFrame, matrix: np.ndarray) -> str:
    """SHA-256 of what was learned from, in its order: ids, labels, features."""
    digest = hashlib.sha256("\n".join(examples["transaction_id"]).encode())
    digest.update(examples["is_fraud"].to_numpy().tobytes())
    digest.update(matrix.tobytes())
    return digest.hexdigest()


def _champion(registry: Registry) -> Registered | None:
    """The champion that is to be beaten; one that cannot be loaded is not in the way of a new model."""
    try:
        return registry.load() if registry.stages.champion else None
    except CauriError:
        return None


def _compared(before: Registered | None, last: pl.DataFrame, days: Days) -> dict[str, Any] | None:
    if before is None:
        return None
    window = _window(last, before.score(last["before"].to_numpy()), days)
    return {"model_version": before.version, **judge(window, before.manifest.thresholds)}
