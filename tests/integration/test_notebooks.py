"""The notebooks run from their first cell to their last, and nobody has committed what came out."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.loading import PSEUDONYM_KEY, VAULT_KEY
from tests.scoring import Scoring

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert [path.name for path in NOTEBOOKS] == ["exploration.ipynb", "fraud_model.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_committed(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert [cell.source for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:zmq", "ignore::RuntimeWarning:zmq")
def test_a_notebook_runs(path: Path, analysed_warehouse: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CAURI_DATABASE_URL": analysed_warehouse.url,
        "CAURI_HOME": str(analysed_warehouse.home),
        "CAURI_PSEUDONYM_KEY": PSEUDONYM_KEY,
        "CAURI_VAULT_KEY": VAULT_KEY,
    }.items():
        monkeypatch.setenv(name, value)
    book = nbformat.read(path, as_version=4)
    NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
    shown = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    drawn = [one for one in shown if "application/vnd.plotly.v1+json" in one.get("data", {})]
    assert len(drawn) >= 3
    for one in drawn:
        assert any(trace_has_values(trace) for trace in one["data"]["application/vnd.plotly.v1+json"]["data"])
    assert [one for one in shown if one.output_type == "stream" and one.name == "stderr"] == []


def trace_has_values(trace: dict[str, object]) -> bool:
    return any(trace.get(axis) for axis in ("x", "y", "z"))
