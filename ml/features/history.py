"""What a running system keeps: transactions by client, beneficiary and location, and the reports of frauds."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml.features.timeline import DAY, HOUR
from ml.features.view import RECENT_DAYS, USUAL_DAYS

Row = Mapping[str, Any]
Features = dict[str, float | None]

WINDOWS = {"24h": 24 * HOUR, "7d": 7 * DAY, "30d": 30 * DAY}


@dataclass(frozen=True)
class Past:
    """A transaction that was made, in milliseconds. `to_usual`: its amount over what was usual then, 0 if unknown."""

    row: Row
    moment: int
    to_usual: float
    is_new_pair: bool


@dataclass
class Trail:
    """The transactions of one client, beneficiary or location, in the order of their moments."""

    moments: list[int] = field(default_factory=list)
    pasts: list[Past] = field(default_factory=list)

    def window(self, since: int, until: int) -> list[Past]:
        """Those of [since, until)."""
        return self.pasts[bisect_left(self.moments, since) : bisect_left(self.moments, until)]

    def add(self, past: Past) -> None:
        """The newest one."""
        self.moments.append(past.moment)
        self.pasts.append(past)


@dataclass
class History:
    """Everything so far. `reported`: transaction id of a fraud -> milliseconds of its report, which may lie ahead."""

    reported: Mapping[str, int]
    clients: dict[Any, Trail] = field(default_factory=lambda: defaultdict(Trail))
    beneficiaries: dict[Any, Trail] = field(default_factory=lambda: defaultdict(Trail))
    locations: dict[Any, Trail] = field(default_factory=lambda: defaultdict(Trail))

    def add(self, row: Row) -> None:
        """A transaction that has been made; they come in the order of their moments and ids."""
        moment = moment_of(row)
        client = self.clients[row["client"]]
        usual = usual_mean(client, moment)
        pair = client.window(moment - USUAL_DAYS * DAY, moment)
        is_new = all(past.row["beneficiary"] != row["beneficiary"] for past in pair)
        past = Past(row, moment, amount_of(row) / usual if usual else 0.0, is_new and row["beneficiary"] is not None)
        client.add(past)
        for trails, key in ((self.beneficiaries, row["beneficiary"]), (self.locations, row["location"])):
            if key is not None:
                trails[key].add(past)


def moment_of(row: Row) -> int:
    """Milliseconds since 1970."""
    return int(row["transaction_ts"].timestamp() * 1_000_000 + 0.5) // 1000


def amount_of(row: Row) -> int:
    """Minor units, not negative."""
    return max(int(row["amount_minor"]), 0)


def usual_mean(client: Trail, moment: int) -> float | None:
    """Mean of the client's amounts of [t - 90 d, t - 14 d)."""
    before = client.window(moment - USUAL_DAYS * DAY, moment - RECENT_DAYS * DAY)
    return sum(amount_of(past.row) for past in before) / len(before) if before else None


def ratio(part: float, whole: float | None) -> float | None:
    """`part / whole`, unknown where the whole is not positive."""
    return part / whole if whole is not None and whole > 0 else None
