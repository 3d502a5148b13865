"""`cauri fraud models`, `promote` and `rollback`."""

from typing import TYPE_CHECKING, Any

from cli.console import print_json, stdout, table
from cli.extra import models_needed
from cli.fraud_options import Version
from cli.fraud_train import figures
from cli.options import Json
from warehouse.errors import ModelError
from warehouse.settings import read_settings

if TYPE_CHECKING:
    from ml.fraud.registry import Registry
    from ml.fraud.stages import Stages


# Figures that a line has room for.
NAMED = {
    "average precision": "AP",
    "alerts a day": "alerts/day",
    "precision of alerts": "precision",
    "recall of alerts": "recall",
}


def models(json: Json = False) -> None:
    """List the models, their stages, windows and figures; one that was changed is called so."""
    registry = _registry()
    found = [_described(registry, version) for version in registry.versions()]
    if json:
        print_json({"folder": str(registry.folder), "models": found})
    elif not found:
        stdout.print(f"No model in {registry.folder}. Next: cauri fraud train", markup=False)
    else:
        _show(found)


def promote(version: Version, json: Json = False) -> None:
    """Make a model champion: the next scores are its own. The champion before is retired."""
    with models_needed():
        _tell(_registry().promote(version), json=json)


def rollback(json: Json = False) -> None:
    """Make the champion before this one champion again."""
    with models_needed():
        _tell(_registry().roll_back(), json=json)


def _registry() -> "Registry":
    from ml.fraud.registry import registry_of  # noqa: PLC0415 - half a second

    return registry_of(read_settings())


def _tell(stages: "Stages", *, json: bool) -> None:
    if json:
        print_json({"status": "done", "champion": stages.champion, "champions": stages.champions})
        return
    stdout.print(f"Champion: {stages.champion}. It scores what is loaded from now on.")
    stdout.print("Scores that were written keep their model; cauri fraud score --since DAY writes them again.")


def _described(registry: "Registry", version: str) -> dict[str, Any]:
    stage = registry.stages.of(version)
    try:
        manifest = registry.manifest(version)
    except ModelError as error:
        return {"model_version": version, "stage": stage, "problem": error.message}
    return {
        "model_version": version,
        "stage": stage,
        "problem": None,
        "windows": manifest.windows,
        "thresholds": manifest.thresholds.to_json(),
        "metrics": manifest.metrics,
        "commit": manifest.commit,
        "libraries": manifest.libraries,
    }


def _show(found: list[dict[str, Any]]) -> None:
    shown = table("Models, each on its own threshold window", "model", "stage", *NAMED.values(), numbers=len(NAMED))
    for one in found:
        if one["problem"]:
            continue
        told = figures(one["metrics"])
        shown.add_row(one["model_version"], one["stage"], *(told[name] for name in NAMED))
    stdout.print(shown)
    for one in found:
        if one["problem"]:
            stdout.print(f"{one['model_version']} ({one['stage']}): {one['problem']}", markup=False)
