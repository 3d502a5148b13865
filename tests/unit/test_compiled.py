"""Loops as machine code: where it is kept, and what they say of NaN and zero."""

from math import isnan
from pathlib import Path

import numba
import numpy as np
import pyarrow as pa
import pytest

from ml.features.compiled import compiled, ratio, shelf_of, validity


def test_another_source_has_another_shelf(tmp_path: Path) -> None:
    """What a loop calls may stand in another file than the loop."""
    (tmp_path / "loop.py").write_text("as it was")
    before = shelf_of(tmp_path)
    before.mkdir(parents=True)
    assert shelf_of(tmp_path) == before
    (tmp_path / "called.py").write_text("new")
    after = shelf_of(tmp_path)
    assert after != before
    assert not before.exists()


def test_where_nothing_may_be_written_the_users_cache_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert shelf_of(tmp_path).parent == Path.home() / ".cache" / "cauri"


def test_a_loop_runs_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(blocked))
    monkeypatch.setattr(numba.config, "CACHE_LOCATOR_CLASSES", "numba.core.caching.UserProvidedCacheLocator")

    def twice(value: int) -> int:
        return 2 * value

    assert compiled(twice)(21) == 42


@pytest.mark.parametrize(("part", "whole"), [(1.0, 0.0), (1.0, -2.0), (0.0, 0.0), (1.0, float("nan"))])
def test_a_ratio_to_nothing_is_unknown(part: float, whole: float) -> None:
    assert isnan(ratio(part, whole))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 64, 1000])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_validity_is_what_arrow_says(count: int, kind: type[np.floating]) -> None:
    rng = np.random.default_rng(count)
    values = np.where(rng.random(count) < 0.3, np.nan, rng.random(count)).astype(kind)
    bits, known = validity(values)
    array = pa.Array.from_buffers(
        pa.from_numpy_dtype(values.dtype), count, [pa.py_buffer(bits), pa.py_buffer(values)], count - known
    )
    assert array.equals(pa.array(values, from_pandas=True))
