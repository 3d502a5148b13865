"""Loops over rows as machine code: the columns of a family are found in one pass, without a copy in between."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any, ParamSpec, TypeVar

import numba
import numpy as np
import numpy.typing as npt

Given = ParamSpec("Given")
Found = TypeVar("Found")
Float = type[np.float32] | type[np.float64]


def shelf_of(folder: Path) -> Path:
    """Where the machine code of just these sources is kept; that of other ones is removed.

    Numba looks at the file of a loop to see whether it has changed, but not at those of what it calls.
    """
    sources = b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    shelves = folder / "__pycache__"
    if not os.access(shelves if shelves.exists() else folder, os.W_OK):
        shelves = Path.home() / ".cache" / "cauri"
    shelf = shelves / f"loops-{sha256(sources).hexdigest()[:16]}"
    if not shelf.exists():
        for other in shelves.glob("loops-*"):
            rmtree(other, ignore_errors=True)
    return shelf


vars(numba.config)["CACHE_DIR"] = str(shelf_of(Path(__file__).parent))


def compiled(loop: Callable[Given, Found]) -> Callable[Given, Found]:
    """A loop over arrays that is compiled when it is first called; threads run it side by side.

    Division by zero is NaN or infinite, as NumPy has it.
    """
    try:
        made: Callable[Given, Found] = numba.njit(nogil=True, cache=True, error_model="numpy")(loop)
    except RuntimeError:  # Nothing can be kept: each process compiles anew.
        made = numba.njit(nogil=True, error_model="numpy")(loop)
    return made


@compiled
def ratio(part: float, whole: float) -> float:
    """`part / whole`, unknown (NaN) where the whole is not positive."""
    return part / whole if whole > 0 else np.nan


@compiled
def ratios(parts: npt.NDArray[Any], wholes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """As `ratio`, of each row."""
    found = np.empty(len(parts))
    for row in range(len(parts)):
        found[row] = ratio(parts[row], wholes[row])
    return found


@compiled
def validity(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint8], int]:
    """Bits of what is known in a column, as Arrow has them, and how many values are; NaN is not."""
    bits, known = np.zeros((len(values) + 7) // 8, np.uint8), 0
    for byte in range(len(bits)):
        found = 0
        for bit in range(min(8, len(values) - 8 * byte)):
            is_known = not np.isnan(values[8 * byte + bit])
            found |= is_known << bit
            known += is_known
        bits[byte] = found
    return bits, known
