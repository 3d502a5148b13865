"""The table of peers: what was measured, as lines of Markdown, and its place in a document."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.ratios import Spread, rates, spread

BEGIN, END = "<!-- peers: written by `just bench-peers --write`, not by hand -->", "<!-- end of peers -->"


@dataclass(frozen=True)
class Line:
    """A peer, or Cauri, with the seconds of each round; `faster` is how many times its rows a second Cauri has."""

    name: str
    rows: int
    seconds: tuple[float, ...]
    faster: Spread | None
    same: bool | None

    def cells(self) -> list[str]:
        """The cells of its row."""
        speed = rates(self.rows, self.seconds)
        return [
            self.name,
            f"{self.rows:,}",
            f"{speed.median:,.0f}",
            "" if self.faster is None else f"{self.faster:.2f}",
            {None: "", True: "yes", False: "no"}[self.same],
        ]


def as_markdown(lines: Sequence[Line]) -> str:
    """The table."""
    head = ["", "rows", "rows/s", "Cauri's rows/s against it", "same rows in the end"]
    table = [head, ["---", "---:", "---:", "---:", "---"], *(line.cells() for line in lines)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in table)


def faster(ours: Sequence[float], our_rows: int, theirs: Sequence[float], their_rows: int) -> Spread:
    """How many times the rows a second: rounds against themselves, since the sizes may differ."""
    return spread((our_rows / our) / (their_rows / their) for our, their in zip(ours, theirs, strict=True))


def write_between(path: Path, text: str) -> None:
    """Replace what stands between the markers of a document.

    Raises:
        SystemExit: the document has no markers.
    """
    page = path.read_text(encoding="utf-8")
    changed, found = re.subn(
        f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}\n\n{text}\n\n{END}", page, flags=re.DOTALL
    )
    if found != 1:
        raise SystemExit(f"error: {path} has {found} places for the table: write the lines {BEGIN} and {END} into it")
    path.write_text(changed, encoding="utf-8")
