"""Commands that need the packages of the extra `ml`, which are imported when they run and may be missing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from warehouse.errors import ConfigurationError

PACKAGES = frozenset({"imblearn", "lightgbm", "plotly", "scipy", "sklearn", "threadpoolctl", "xgboost"})


def has_models() -> bool:
    """Whether the extra is installed."""
    return find_spec("sklearn") is not None and find_spec("scipy") is not None


@contextmanager
def models_needed() -> Iterator[None]:
    """Around imports of `ml`.

    Raises:
        ConfigurationError: a package of the extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        raise ConfigurationError(
            f"the package {error.name} is not installed; it comes with the extra ml",
            remedy=f"uv run --extra ml cauri {' '.join(sys.argv[1:3])} ...",
        ) from None
