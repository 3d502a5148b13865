"""Commands that need the packages of an extra, which are imported when they run and may be missing."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec

from warehouse.errors import ConfigurationError

PACKAGES = frozenset({"imblearn", "lightgbm", "plotly", "scipy", "sklearn", "threadpoolctl", "xgboost"})


def has_models() -> bool:
    """Whether the extra `ml` is installed."""
    return find_spec("sklearn") is not None and find_spec("scipy") is not None


@contextmanager
def extra_needed(extra: str, words: int = 2) -> Iterator[None]:
    """Around imports of what needs an extra; the command has that many words.

    Raises:
        ConfigurationError: a package of the extra is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        raise ConfigurationError(
            f"the package {error.name} is not installed; it comes with the extra {extra}",
            remedy=f"uv run --extra {extra} cauri {' '.join(sys.argv[1 : 1 + words])} ...",
        ) from None


def models_needed() -> AbstractContextManager[None]:
    """Around imports of `ml`; raises as `extra_needed`."""
    return extra_needed("ml")
