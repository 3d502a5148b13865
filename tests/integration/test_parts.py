"""A large run is worked off in parts, for memory: into however many it is cut, the warehouse is the same."""

from pathlib import Path

import pytest

from engine import beneficiaries, duplicates, leaves, slices
from sample.plan import SamplePlan
from tests.database import copied_database
from tests.faults.rounds import deal
from tests.loading import load, sample_folder, sealed, state

PLAN = SamplePlan(rows=2_000, months=2, dialect="mixed", duplicate_share=0.05, update_share=0.1)
TINY = {
    (beneficiaries, "AT_ONCE"): 60,
    (duplicates, "ROWS_PER_BUCKET"): 300,
    (duplicates, "ROWS_JUDGED"): 20,
    (leaves, "ROWS_PER_PIECE"): 40,
    (slices, "SLICES_AT_ONCE"): 1,
}


def two_nights(folder: Path, template: tuple[str, str]) -> dict[str, str]:
    """What the warehouse holds after half of a sample, and then the other half."""
    with copied_database(*template) as url:
        for night in ("1", "2"):
            deal(sample_folder(PLAN), folder / night, night)
            load(folder / night, url)
        return state(url) | sealed(url)


def test_into_however_many_parts_a_run_is_cut_the_warehouse_is_the_same(
    template_database: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = two_nights(tmp_path / "whole", template_database)
    for (module, name), value in TINY.items():
        assert getattr(module, name) > value
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(slices, "SHELF", slices.Shelf(most_bytes=0))
    assert two_nights(tmp_path / "parts", template_database) == expected
