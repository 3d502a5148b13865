"""The projects that Power BI Desktop opens: one that imports the views, one that asks the database each time."""

import json
from typing import Any

from dashboards.metabase.cards import stable_uuid
from dashboards.powerbi.model import Mode, model_files
from dashboards.powerbi.report import report_files
from dashboards.tiles import Specification

# Name of a project -> how it reads the views.
PROJECTS: dict[str, Mode] = {"Cauri": "import", "Cauri DirectQuery": "directQuery"}
_SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"


def project_files(specification: Specification) -> dict[str, str]:
    """Path -> text, of all projects."""
    files: dict[str, str] = {}
    for name, mode in PROJECTS.items():
        model, report = f"{name}.SemanticModel", f"{name}.Report"
        files[f"{name}.pbip"] = _json(_project(report))
        files[f"{model}/.platform"] = _json(_platform("SemanticModel", name))
        files[f"{model}/definition.pbism"] = _json({"version": "4.2", "settings": {}})
        files |= {f"{model}/definition/{path}": text for path, text in model_files(specification, mode).items()}
        files[f"{report}/.platform"] = _json(_platform("Report", name))
        files[f"{report}/definition.pbir"] = _json(
            {
                "$schema": f"{_SCHEMAS}/item/report/definitionProperties/1.0.0/schema.json",
                "version": "4.0",
                "datasetReference": {"byPath": {"path": f"../{model}"}},
            }
        )
        files |= {f"{report}/definition/{path}": _json(one) for path, one in report_files(specification).items()}
    return files


def _project(report: str) -> dict[str, Any]:
    return {
        "$schema": f"{_SCHEMAS}/pbip/pbipProperties/1.0.0/schema.json",
        "version": "1.0",
        "artifacts": [{"report": {"path": report}}],
        "settings": {"enableAutoRecovery": True},
    }


def _platform(kind: str, name: str) -> dict[str, Any]:
    return {
        "$schema": f"{_SCHEMAS}/gitIntegration/platformProperties/2.0.0/schema.json",
        "metadata": {"type": kind, "displayName": name},
        "config": {"version": "2.0", "logicalId": stable_uuid(f"{kind}.{name}")},
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
