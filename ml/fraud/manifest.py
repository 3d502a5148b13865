"""What stands beside a model: all that says which model it is, in one JSON file that nobody can change unseen."""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, Self

from ml.features.catalogue import Feature
from ml.fraud.calibration import Calibrator
from ml.fraud.thresholds import Thresholds
from warehouse.errors import ModelError

FORMAT = 1

LIBRARIES = ("xgboost", "scikit-learn", "imbalanced-learn", "numpy", "polars")

# Hexadecimal digits of the hash in a version: enough that two manifests never share them.
_DIGITS = 10


@dataclass(frozen=True)
class Manifest:
    """`windows`: name -> since, until (exclusive), rows, frauds. `data_sha256` is of the training rows with their ids.

    `files`: name -> SHA-256. `fill` stands for unknown values, where the model was fitted on filled ones.
    """

    kind: str
    features: tuple[dict[str, Any], ...]
    files: dict[str, str]
    data_sha256: str
    windows: dict[str, dict[str, Any]]
    label_delay_days: int
    imbalance: str
    parameters: dict[str, Any]
    seed: int
    nthread: int
    fill: tuple[float, ...] | None
    calibrator: Calibrator
    thresholds: Thresholds
    wishes: dict[str, Any]
    metrics: dict[str, Any]
    libraries: dict[str, str]
    commit: str | None
    format: int = FORMAT

    @property
    def version(self) -> str:
        """End of the training window and beginning of the manifest's hash: equal models have equal names."""
        day = date.fromisoformat(self.windows["train"]["until"])
        return f"{day:%Y%m%d}-{_sha256(self.text())[:_DIGITS]}"

    @property
    def features_sha256(self) -> str:
        """Of the feature list."""
        return hash_of_features(self.features)

    def text(self) -> str:
        """The file."""
        document = {**asdict(self), "features_sha256": self.features_sha256}
        return json.dumps(document, indent=2, sort_keys=True) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """From its file.

        Raises:
            ModelError: it is not a manifest, or one of another format.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document.get("format") != FORMAT:
                raise ModelError(
                    f"{path} has format {document.get('format')}, this version of Cauri reads {FORMAT}",
                    remedy="train a new model: cauri fraud train",
                )
            stated = document.pop("features_sha256")
            document["features"] = tuple(document["features"])
            document["fill"] = document["fill"] and tuple(document["fill"])
            document["calibrator"] = Calibrator.from_json(document["calibrator"])
            document["thresholds"] = Thresholds.from_json(document["thresholds"])
            manifest = cls(**document)
        except OSError as exc:
            raise ModelError(f"{path} cannot be read: {exc.strerror}", remedy="cauri fraud models") from exc
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            raise _changed(path, "it is not what Cauri writes") from exc
        if stated != manifest.features_sha256:
            raise _changed(path, "its feature list is not the one it was written with")
        return manifest


def described(features: Sequence[Feature]) -> tuple[dict[str, Any], ...]:
    """What makes a feature the same: its texts may change."""
    return tuple(
        {name: getattr(feature, name) for name in ("name", "family", "dtype", "window", "trend")}
        for feature in features
    )


def hash_of_features(features: Sequence[dict[str, Any]]) -> str:
    """SHA-256 of a described feature list; its order counts."""
    return _sha256(json.dumps(list(features), sort_keys=True))


def library_versions() -> dict[str, str]:
    """Versions of what a fit depends on."""
    return {name: installed(name) for name in LIBRARIES}


def commit_of_code() -> str | None:
    """Commit of the checkout; None where there is no repository."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def _changed(path: Path, what: str) -> ModelError:
    return ModelError(
        f"{path} was changed: {what}", remedy="restore the model's folder from a backup, or train a new model"
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
