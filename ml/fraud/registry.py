"""Models on disk: a folder a version, a manifest that is checked before anything is used, no code in any file."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np

from ml.features.catalogue import FEATURES, Feature
from ml.fraud.boosters import THREADS, XgboostModel
from ml.fraud.examples import Floats
from ml.fraud.manifest import Manifest, described, hash_of_features
from ml.fraud.stages import SHADOW, Stages, one_at_a_time, read_stages, sync_folder, write_stages
from warehouse.errors import ConfigurationError, ModelError
from warehouse.settings import Settings

MANIFEST, REFERENCE, MODEL = "manifest.json", "reference.json", "model.ubj"

_TRAIN_AGAIN = "train a new model: cauri fraud train"


@dataclass(frozen=True)
class Registered:
    """A model as it scores: trees, calibration, limits; `reference` are the shares that drift is measured against."""

    version: str
    model: XgboostModel
    manifest: Manifest
    reference: dict[str, Any]

    def score(self, margin: Floats) -> Floats:
        """Probability of fraud of each margin."""
        return self.manifest.calibrator.score(margin)


@dataclass(frozen=True)
class Registry:
    """The folder of all versions."""

    folder: Path

    def register(self, model: XgboostModel, manifest: Manifest, reference: dict[str, Any], *, promote: bool) -> str:
        """Keep a model under the version that its manifest gives; the first one is champion, others are if wanted."""
        with one_at_a_time(self.folder):
            target = self.folder / manifest.version
            if not target.exists():
                self._write(target, model, manifest, reference)
            stages = read_stages(self.folder)
            if promote or stages.champion is None:
                write_stages(self.folder, stages.promoted(manifest.version))
        return manifest.version

    def _write(self, target: Path, model: XgboostModel, manifest: Manifest, reference: dict[str, Any]) -> None:
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=self.folder))
        try:
            contents = {**contents_of(model, reference), MANIFEST: manifest.text().encode()}
            for name, data in contents.items():
                with (aside / name).open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
            aside.rename(target)
            sync_folder(self.folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    @property
    def stages(self) -> Stages:
        """Which version has which stage."""
        return read_stages(self.folder)

    @property
    def shadow(self) -> str | None:
        """Of the versions that wait to be promoted, that which learned from the latest days, and of equals the last one
        that was registered; None where the champion learned from later days.
        """
        stages = self.stages
        waiting = [version for version in self.versions() if stages.of(version) == SHADOW]
        newest = max(waiting, key=self._age, default=None)
        if newest is None or stages.champion is None or _trained_until(newest) < _trained_until(stages.champion):
            return None
        return newest

    def _age(self, version: str) -> tuple[str, int]:
        return _trained_until(version), (self.folder / version / MANIFEST).stat().st_mtime_ns

    def versions(self) -> list[str]:
        """Every version, oldest training first."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{MANIFEST}") if path.parent.name[0] != ".")

    def manifest(self, version: str) -> Manifest:
        """The manifest of a version, after its hash was looked at.

        Raises:
            ModelError: there is no such version, or its manifest was changed.
        """
        path = self.folder / version / MANIFEST
        if not path.is_file():
            known = ", ".join(self.versions()) or "none"
            raise ModelError(f"no model {version} in {self.folder}; there are: {known}", remedy="cauri fraud models")
        manifest = Manifest.read(path)
        if manifest.version != version:
            raise ModelError(
                f"{path} was changed: it gives the version {manifest.version}",
                remedy=f"restore the model's folder from a backup, or {_TRAIN_AGAIN}",
            )
        return manifest

    def load(self, version: str | None = None, features: Sequence[Feature] = FEATURES) -> Registered:
        """A version, or the champion, fit to score these features.

        Raises:
            ConfigurationError: there is no champion.
            ModelError: the model was changed, or made for other features or a newer library.
        """
        version = version or self.stages.champion
        if version is None:
            raise ConfigurationError(
                f"there is no champion among the models in {self.folder}", remedy="cauri fraud train makes one"
            )
        manifest = self.manifest(version)
        contents = self._contents(version, manifest)
        _require_features(version, manifest, features)
        _require_library(version, manifest)
        return Registered(version, _model(manifest, contents, features), manifest, json.loads(contents[REFERENCE]))

    def _contents(self, version: str, manifest: Manifest) -> dict[str, bytes]:
        contents: dict[str, bytes] = {}
        for name, expected in manifest.files.items():
            path = self.folder / version / name
            contents[name] = path.read_bytes() if path.is_file() else b""
            if hashlib.sha256(contents[name]).hexdigest() != expected:
                state = "differs from what the manifest says (SHA-256)" if path.is_file() else "is missing"
                raise ModelError(
                    f"model {version}: {path} {state}",
                    remedy=f"restore the model's folder from a backup, or {_TRAIN_AGAIN}",
                    file=name,
                )
        return contents

    def promote(self, version: str) -> Stages:
        """Make a version champion, in one step, after it was loaded.

        Raises:
            ModelError: see `load`.
        """
        with one_at_a_time(self.folder):
            self.load(version)
            stages = self.stages.promoted(version)
            write_stages(self.folder, stages)
        return stages

    def roll_back(self) -> Stages:
        """Make the champion before this one champion again, in one step.

        Raises:
            ModelError: there was none, or it cannot be loaded.
        """
        with one_at_a_time(self.folder):
            stages = self.stages.rolled_back()
            self.load(stages.champion)
            write_stages(self.folder, stages)
        return stages


def _trained_until(version: str) -> str:
    return version.partition("-")[0]


def registry_of(settings: Settings) -> Registry:
    """The registry of this installation."""
    return Registry(settings.models_path / "fraud")


def contents_of(model: XgboostModel, reference: dict[str, Any]) -> dict[str, bytes]:
    """Name -> bytes of the files of a model besides its manifest."""
    bags = {name: bytes(bag.save_raw("ubj")) for name, bag in zip(_names(len(model.bags)), model.bags, strict=True)}
    return {**bags, REFERENCE: json.dumps(reference, sort_keys=True).encode()}


def hashes_of(contents: dict[str, bytes]) -> dict[str, str]:
    """Name -> SHA-256."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def _names(bags: int) -> list[str]:
    return [MODEL, *(f"model-{bag}.ubj" for bag in range(2, bags + 1))]


def _model(manifest: Manifest, contents: dict[str, bytes], features: Sequence[Feature]) -> XgboostModel:
    from xgboost import Booster  # noqa: PLC0415

    names = [name for name in contents if name != REFERENCE]
    bags = [Booster({"nthread": THREADS}, model_file=bytearray(contents[name])) for name in _names(len(names))]
    fill = None if manifest.fill is None else np.array(manifest.fill, dtype=np.float32)
    return XgboostModel(tuple(features), tuple(bags), fill)


def _require_features(version: str, manifest: Manifest, features: Sequence[Feature]) -> None:
    wanted = described(features)
    if manifest.features_sha256 == hash_of_features(wanted):
        return
    then, now = ({feature["name"] for feature in one} for one in (manifest.features, wanted))
    gone, new = sorted(then - now), sorted(now - then)
    said = [f"it knows {', '.join(gone)}, which are no more"] if gone else []
    said += [f"it does not know {', '.join(new)}"] if new else []
    how = "; ".join(said) or "some changed their meaning or place"
    raise ModelError(
        f"model {version} was made for another feature list: {how}",
        remedy=_TRAIN_AGAIN,
        gone=gone,
        new=new,
    )


def _require_library(version: str, manifest: Manifest) -> None:
    made, here = manifest.libraries["xgboost"], installed("xgboost")
    if _number(made) > _number(here):
        raise ModelError(
            f"model {version} was written by xgboost {made}, and {here} is installed",
            remedy=f"install xgboost {made} or newer, or {_TRAIN_AGAIN}",
        )


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
