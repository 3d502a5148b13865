"""docs/features.md, made from the catalogue: `python -m ml.features.document` writes it anew."""

from itertools import groupby
from pathlib import Path

from ml.features.catalogue import FEATURES, Feature

PAGE = Path(__file__).resolve().parents[2] / "docs" / "features.md"

_HEAD = f"""# Features

Made by `uv run just dictionary` from `ml/features/catalogue.py`; a test fails when the two differ.
{len(FEATURES)} features, all of type `Float64`; [fraud](fraud.md) says what becomes of them.

A window of w is [t - w, t): neither the transaction itself nor others of the same moment are in it. Days have 24 hours.
A label counts from the moment on at which it was reported. Attributes of a client are those
of its version at the transaction.
"""


def document() -> str:
    """The page, in Markdown."""
    families = groupby(FEATURES, lambda feature: feature.family)
    return "\n".join([_HEAD, *(_section(family, list(features)) for family, features in families)])


def _section(family: str, features: list[Feature]) -> str:
    rows = (f"| `{one.name}` | {one.window} | {_cell(one.meaning)} | {_cell(one.null_rule)} |" for one in features)
    return "\n".join(
        [
            f"## {family.replace('_', ' ').capitalize()}\n",
            "| feature | window | meaning | null |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
