"""The page of the features is made from their catalogue."""

from ml.features.catalogue import FEATURES
from ml.features.document import PAGE, document


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == document(), "run `uv run just dictionary`"


def test_the_page_names_every_feature_once() -> None:
    page = document()
    assert [one.name for one in FEATURES if page.count(f"| `{one.name}` |") != 1] == []
