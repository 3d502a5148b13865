import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.features import catalogue
from ml.features.catalogue import Feature
from ml.fraud.boosters import THREADS, BoosterParameters, XgboostModel
from ml.fraud.calibration import calibrate
from ml.fraud.drift import reference_of
from ml.fraud.explain import LANGUAGES, SUM_TOLERANCE, explain, reason_texts, text_of
from ml.fraud.manifest import Manifest, described, library_versions
from ml.fraud.models import fit
from ml.fraud.registry import Registry, contents_of, hashes_of
from ml.fraud.thresholds import Thresholds
from tests.invented import FEATURES, RISK, examples
from warehouse.errors import ConfigurationError, ModelError


def fitted(seed: int = 0, bags: int = 1, imbalance: str = "none") -> tuple[XgboostModel, Manifest, dict[str, Any]]:
    rows, parameters = examples(1000), BoosterParameters(trees=5, depth=3, bags=bags)
    model = fit("xgboost", rows, FEATURES, seed=seed, parameters=parameters, imbalance=imbalance)
    assert isinstance(model, XgboostModel)
    margin, labels = model.margin(rows), rows["is_fraud"].to_numpy()
    calibrator = calibrate(margin, labels)
    reference = reference_of(model.matrix(rows), calibrator.score(margin), FEATURES)
    window = {"since": "2025-01-01", "until": "2025-01-02", "rows": 1000, "frauds": int(labels.sum())}
    manifest = Manifest(
        kind="xgboost",
        features=described(FEATURES),
        files=hashes_of(contents_of(model, reference)),
        data_sha256="0" * 64,
        windows={"train": window},
        label_delay_days=7,
        imbalance=imbalance,
        parameters={"trees": 5},
        seed=seed,
        nthread=THREADS,
        fill=None if model.fill is None else tuple(model.fill.tolist()),
        calibrator=calibrator,
        thresholds=Thresholds(0.2, None),
        wishes={},
        metrics={"average_precision": 0.5},
        libraries=library_versions(),
        commit=None,
    )
    return model, manifest, reference


def registered(registry: Registry, seed: int = 0, *, promote: bool = False) -> str:
    return registry.register(*fitted(seed), promote=promote)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


@pytest.mark.parametrize("imbalance", ["none", "smote"])
@pytest.mark.parametrize("bags", [1, 3])
def test_a_loaded_model_scores_to_the_bit_what_the_fitted_one_did(
    registry: Registry, bags: int, imbalance: str
) -> None:
    model, manifest, reference = fitted(bags=bags, imbalance=imbalance)
    version = registry.register(model, manifest, reference, promote=False)
    loaded = registry.load(version, FEATURES)
    rows = examples(300, seed=8)
    assert (loaded.model.margin(rows) == model.margin(rows)).all()
    matrix = loaded.model.matrix(rows)
    assert (loaded.model.contributions_of(matrix) == model.contributions_of(matrix)).all()
    assert (loaded.manifest, loaded.reference) == (manifest, reference)


def test_no_file_of_a_model_is_code(registry: Registry) -> None:
    version = registered(registry)
    assert sorted(path.name for path in (registry.folder / version).iterdir()) == [
        "manifest.json",
        "model.ubj",
        "reference.json",
    ]


def test_the_same_model_again_is_the_same_version(registry: Registry) -> None:
    assert registered(registry) == registered(registry)
    assert len(registry.versions()) == 1
    assert registered(registry, seed=1) != registry.versions()[0] or len(registry.versions()) == 2


def test_the_first_model_is_champion_and_later_ones_are_shadows(registry: Registry) -> None:
    first, second = registered(registry), registered(registry, seed=1)
    assert [registry.stages.of(version) for version in (first, second)] == ["champion", "shadow"]
    assert registry.load(features=FEATURES).version == first


@pytest.fixture
def two(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setattr(Registry.load, "__defaults__", (None, FEATURES))
    return registered(registry), registered(registry, seed=1)


def test_promote_and_roll_back(registry: Registry, two: tuple[str, str]) -> None:
    first, second = two
    registry.promote(second)
    assert [registry.stages.of(version) for version in two] == ["retired", "champion"]
    registry.roll_back()
    assert [registry.stages.of(version) for version in two] == ["champion", "retired"]
    with pytest.raises(ModelError, match="no champion before this one"):
        registry.roll_back()
    registry.promote(second)
    assert registry.stages.champion == second
    registry.promote(second)
    assert registry.stages.champions == (first, second)


def test_of_shadows_that_know_as_much_the_last_one_that_was_trained_scores(
    registry: Registry, two: tuple[str, str]
) -> None:
    third = registered(registry, seed=2)
    for last, before in ((third, two[1]), (two[1], third)):
        os.utime(registry.folder / before / "manifest.json", ns=(1, 1))
        os.utime(registry.folder / last / "manifest.json", ns=(2, 2))
        assert registry.shadow == last


def test_a_model_that_cannot_be_loaded_is_not_promoted(registry: Registry, two: tuple[str, str]) -> None:
    (registry.folder / two[1] / "model.ubj").write_bytes(b"")
    with pytest.raises(ModelError, match=r"model\.ubj differs"):
        registry.promote(two[1])
    assert registry.stages.champion == two[0]
    registry.folder.joinpath(two[1], "model.ubj").unlink()
    with pytest.raises(ModelError, match=r"model\.ubj is missing"):
        registry.promote(two[1])


def test_a_stage_file_that_is_half_written_was_never_there(
    registry: Registry, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise OSError("power cut")

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(OSError, match="power cut"):
        registry.promote(two[1])
    assert registry.stages.champion == two[0]


def altered(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda document: document["thresholds"].update(review=0.9), "gives the version"),
        (lambda document: document["files"].update({"model.ubj": "0"}), "gives the version"),
        (lambda document: document["features"][0].update(trend=-1), "its feature list is not the one"),
        (lambda document: document.update(format=2), "has format 2, this version of Cauri reads 1"),
        (lambda document: document.pop("seed"), "it is not what Cauri writes"),
        (lambda document: document.clear(), "has format None"),
    ],
)
def test_a_changed_manifest_is_refused(
    registry: Registry, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    version = registered(registry)
    altered(registry.folder / version / "manifest.json", change)
    with pytest.raises(ModelError, match=said) as caught:
        registry.load(version, FEATURES)
    assert caught.value.remedy


def test_text_that_is_no_json_is_refused(registry: Registry) -> None:
    version = registered(registry)
    (registry.folder / version / "manifest.json").write_text("no")
    with pytest.raises(ModelError, match="was changed"):
        registry.load(version, FEATURES)
    (registry.folder / "stages.json").write_text("no")
    with pytest.raises(ModelError, match=r"stages\.json was changed"):
        registry.load(None, FEATURES)


def test_a_folder_under_another_name_is_another_model(registry: Registry) -> None:
    version = registered(registry)
    shutil.copytree(registry.folder / version, registry.folder / "20990101-0123456789")
    with pytest.raises(ModelError, match=f"gives the version {version}"):
        registry.load("20990101-0123456789", FEATURES)


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (FEATURES[:2], "it knows hour, which are no more"),
        ((*FEATURES, replace(RISK, name="risk_14d")), "it does not know risk_14d"),
        (FEATURES[::-1], "some changed their meaning or place"),
        ((replace(FEATURES[0], window="1 h"), *FEATURES[1:]), "some changed their meaning or place"),
    ],
)
def test_another_feature_list_is_refused(registry: Registry, features: tuple[Feature, ...], said: str) -> None:
    version = registered(registry)
    with pytest.raises(ModelError, match=said):
        registry.load(version, features)


def test_texts_of_a_feature_may_change(registry: Registry) -> None:
    version = registered(registry)
    registry.load(version, (replace(FEATURES[0], meaning="in other words"), *FEATURES[1:]))


def test_a_model_of_a_newer_library_is_refused(registry: Registry) -> None:
    model, manifest, reference = fitted()
    newer = replace(manifest, libraries={**manifest.libraries, "xgboost": "99.1.0"})
    version = registry.register(model, newer, reference, promote=False)
    with pytest.raises(ModelError, match=r"written by xgboost 99\.1\.0"):
        registry.load(version, FEATURES)


def test_without_a_champion_the_remedy_is_to_train(registry: Registry) -> None:
    with pytest.raises(ConfigurationError, match="no champion") as caught:
        registry.load(None, FEATURES)
    assert "cauri fraud train" in caught.value.remedy
    with pytest.raises(ModelError, match=r"no model nonsense .*there are: none"):
        registry.load("nonsense", FEATURES)


@pytest.mark.parametrize("bags", [1, 3])
def test_contributions_add_up_to_the_margin_and_give_three_reasons_at_most(bags: int) -> None:
    model, _, _ = fitted(bags=bags)
    rows = examples(300, seed=8)
    matrix = model.matrix(rows)
    margin = model.margin_of(matrix)
    found = explain(model, matrix, margin)
    assert found.families == ("amount", "counterparty_risk", "temporal")
    assert np.abs(found.by_family.sum(axis=1) + found.base - margin).max() < SUM_TOLERANCE
    for reasons, contributions in zip(found.reasons(), found.by_family, strict=True):
        by_name = dict(zip(found.families, contributions, strict=True))
        assert [by_name[reason] for reason in reasons] == sorted((c for c in contributions if c > 0), reverse=True)


def test_contributions_that_do_not_add_up_are_an_error() -> None:
    model, _, _ = fitted()
    matrix = model.matrix(examples(10))
    with pytest.raises(ModelError, match="differ from the margin"):
        explain(model, matrix, model.margin_of(matrix) + 2 * SUM_TOLERANCE)
    assert explain(model, matrix[:0], np.empty(0)).reasons() == []


def test_every_family_has_its_reason_in_both_languages() -> None:
    families = {feature.family for feature in catalogue.FEATURES}
    assert set(reason_texts()) == families
    for family in families:
        english, french = (text_of(family, language) for language in LANGUAGES)
        assert english != french
    assert text_of("an_older_family") == "an older family"
