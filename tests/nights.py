"""Thirty nights: the rows of a sample dealt out to the files of thirty days, and every kind of trouble beside them."""

import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.arrivals import Packing, Sheet, packed, sheets
from tests.loading import client, write_feed
from tests.unit.test_sample_truth import recount

NIGHTS = 30
LATE_SHARE = 0.15
PACKINGS: tuple[Packing, ...] = ("", ".gz", ".zst")
# Services come first: a transaction of an unknown one is refused. The others complete what was inferred.
NIGHT_OF = {"services": 1, "channels": 6}
DRAFTS_A_NIGHT = 6
LONG_SETTLED = (0, 0)


@dataclass
class Nights:
    """Deals a sample out into `folder`, night after night; the same seed deals the same."""

    sample: Path
    folder: Path
    seed: int
    rows_of: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._sheets = sheets(self.sample)
        self._plan = [self._nights_of(sheet) for sheet in self._sheets]
        self._unfinished: tuple[Path, bytes] | None = None
        self._events = 0

    @cached_property
    def _final(self) -> list[dict[str, str]]:
        """Transactions as they end, in ISO form."""
        return [row for key, row in recount(self.sample)["final"].items() if len(key) == 1]

    def _nights_of(self, sheet: Sheet) -> list[int]:
        """The night of each row: as it goes on, or later; who comes first in a conflict comes first."""
        count = max(len(sheet), 1)
        if sheet.feed in NIGHT_OF:
            return [NIGHT_OF[sheet.feed]] * count
        if sheet.feed != "transactions":
            return [self._dice.randint(1, NIGHTS) for _ in range(count)]
        months = [each for each in self._sheets if each.feed == "transactions"]
        before = months.index(sheet)
        on_time = [1 + int((before + place / count) * NIGHTS / len(months)) for place in range(count)]
        fixed = _in_conflict(months)
        return [
            night if name in fixed or self._dice.random() > LATE_SHARE else self._dice.randint(night, NIGHTS)
            for name, night in zip(sheet.ids, on_time, strict=False)
        ]

    def arrive(self, night: int) -> None:
        """Put the files of a night into the folder; those that were half there are whole now."""
        before = set(self._files())
        if self._unfinished:
            path, data = self._unfinished
            path.write_bytes(data)
            os.utime(path, LONG_SETTLED)
            self._unfinished = None
        for number, (sheet, nights) in enumerate(zip(self._sheets, self._plan, strict=True)):
            self._deliver(sheet, number, night, [place for place, each in enumerate(nights) if each == night])
        self._beside(night)
        if night % 4 == 0:
            self._again(night)
        for path in set(self._files()) - before:
            os.utime(path, LONG_SETTLED)

    def _deliver(self, sheet: Sheet, number: int, night: int, chosen: list[int]) -> None:
        if not chosen:
            return
        if sheet.feed != "transactions":
            self._dice.shuffle(chosen)
        packing = self._dice.choice(PACKINGS)
        path = sheet.write(self.folder, f"n{night:02}_{number:02}", chosen, packing)
        self.rows_of[path.name] = len(chosen)

    def _beside(self, night: int) -> None:
        """What the sample does not have: drafts that lose, and clients that are corrected, deleted and restored."""
        drafts = [self._draft(row) for row in self._dice.sample(self._final, DRAFTS_A_NIGHT)]
        self._write("transactions", night, drafts)
        clients = [self._event(number) for number in self._dice.sample(range(12), 4)]
        self._write("clients", night, clients)

    def _write(self, feed: str, night: int, rows: Sequence[dict[str, Any]]) -> None:
        path = write_feed(self.folder, feed, rows, ending=f"_n{night:02}_x")
        self.rows_of[path.name] = len(rows)

    def _draft(self, row: dict[str, str]) -> dict[str, str]:
        """An older version than all of the sample: of other days, and so maybe of another leaf, and another amount."""
        moment = datetime.fromisoformat(row["transaction_ts"]) - timedelta(days=self._dice.randint(1, 40))
        text = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        status = self._dice.choice(("PENDING", "FAILED"))
        return {**row, "transaction_ts": text, "updated_at": text, "amount": "7", "commission": "0", "status": status}

    def _event(self, number: int) -> dict[str, Any]:
        """A change, a correction, an end or a new beginning of one of the clients that have most of these."""
        names = sorted({row["client_id"] for row in self._final})
        moment = f"2024-{self._dice.randint(1, 4):02}-{self._dice.randint(1, 9):02}T00:00:00Z"
        self._events += 1
        return client(
            names[number],
            moment,
            company_name=f"Beside {self._events}",
            customer_segment=self._dice.choice(("CORPORATE", "SME")),
            risk_level=self._dice.choice(("LOW", "MEDIUM", "HIGH")),
            # No two of one moment, between which only the order of arrival could decide.
            updated_at=f"2024-07-01T{self._dice.randint(0, 23):02}:{self._events // 60:02}:{self._events % 60:02}Z",
            is_deleted=self._dice.choice(("0", "0", "1")),
        )

    def _again(self, night: int) -> None:
        """An earlier file under another name; and one whose rows come once more, packed otherwise."""
        texts = [path for path in self._files() if path.suffix == ".csv" and "_n" in path.name]
        same, other = self._dice.sample(texts, 2)
        shutil.copy(same, self.folder / same.name.replace("_n", f"_z{night:02}_"))
        packing = self._dice.choice(PACKINGS[1:])
        path = self.folder / (other.name.replace("_n", f"_z{night:02}_") + packing)
        path.write_bytes(packed(other.read_bytes(), packing))
        self.rows_of[path.name] = self.rows_of[other.name]

    def break_off(self, night: int) -> str:
        """Leave one of the night's files as somebody does who is still writing it; it is whole with the next night."""
        path = self._dice.choice([path for path in self._files() if f"_n{night:02}_" in path.name])
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        self._unfinished = path, data
        return path.name

    def _files(self) -> list[Path]:
        return sorted(self.folder.iterdir()) if self.folder.exists() else []


def _in_conflict(months: Sequence[Sheet]) -> set[str]:
    """Ids of which one version has more than one content: of these, the first decides."""
    contents: dict[tuple[str, Any], set[Any]] = {}
    for sheet in months:
        for name, version, content in zip(sheet.ids, sheet.versions, sheet.contents, strict=True):
            contents.setdefault((name, version), set()).add(content)
    return {name for (name, _), several in contents.items() if len(several) > 1}
