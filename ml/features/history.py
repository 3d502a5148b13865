"""What a running system keeps: transactions by client, beneficiary and location, and the reports of frauds."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ml.features.clocks import clock_of
from ml.features.geography import on_sphere
from ml.features.timeline import DAY, HOUR, Ints
from ml.features.view import RECENT_DAYS, USUAL_DAYS

Row = Mapping[str, Any]
Features = dict[str, float | None]

WINDOWS = {"24h": 24 * HOUR, "7d": 7 * DAY, "30d": 30 * DAY}


@dataclass(frozen=True)
class Past:
    """A transaction that was made, and what features ask of it, computed once.

    `moment`: milliseconds since 1970. `reported`: that of the report of a fraud, else infinity. `minute`: of the
    client's day. `to_usual`: its amount over what was usual then, 0 if unknown.
    """

    row: Row
    moment: int
    reported: float
    amount: int
    minute: int
    point: Ints | None
    to_usual: float
    is_new_pair: bool


@dataclass
class Trail:
    """The transactions of one client, beneficiary or location, in the order of their moments.

    `reports`: moment and place in `pasts` of those that are reported as fraud, in the order of the reports.
    """

    moments: list[int] = field(default_factory=list)
    pasts: list[Past] = field(default_factory=list)
    reports: list[tuple[float, int]] = field(default_factory=list)

    def count(self, until: int) -> int:
        """How many were made before a moment."""
        return bisect_left(self.moments, until)

    def window(self, since: int, until: int) -> list[Past]:
        """Those of [since, until)."""
        return self.pasts[self.count(since) : self.count(until)]

    def reported(self, since: int, until: int) -> list[tuple[float, int]]:
        """The `reports` of [since, until), whenever the transactions were made."""
        return self.reports[bisect_left(self.reports, (since, 0)) : bisect_left(self.reports, (until, 0))]

    def add(self, past: Past) -> None:
        """The newest one."""
        if past.reported < inf:
            insort(self.reports, (past.reported, len(self.pasts)))
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
        moment, beneficiary = moment_of(row), row["beneficiary"]
        client = self.clients[row["client"]]
        usual = usual_mean(client, moment)
        pair = client.window(moment - USUAL_DAYS * DAY, moment)
        past = Past(
            row,
            moment,
            self.reported.get(row["transaction_id"], inf),
            amount_of(row),
            minute_of(local_of(row)),
            point_of(row),
            amount_of(row) / usual if usual else 0.0,
            beneficiary is not None and all(one.row["beneficiary"] != beneficiary for one in pair),
        )
        client.add(past)
        for trails, key in ((self.beneficiaries, beneficiary), (self.locations, row["location"])):
            if key is not None:
                trails[key].add(past)


def moment_of(row: Row) -> int:
    """Milliseconds since 1970."""
    return int(row["transaction_ts"].timestamp() * 1_000_000 + 0.5) // 1000


def amount_of(row: Row) -> int:
    """Minor units, not negative."""
    return max(int(row["amount_minor"]), 0)


def local_of(row: Row) -> datetime:
    """The client's clock at the transaction, as if it were UTC."""
    moment = row["transaction_ts"].astimezone(ZoneInfo(clock_of(row["client_country"]).zone))
    local: datetime = moment.replace(tzinfo=UTC)
    return local


def minute_of(local: datetime) -> int:
    """Of the day."""
    return local.hour * 60 + local.minute


def point_of(row: Row) -> Ints | None:
    """The place on the sphere, None where it is unknown."""
    if row["latitude"] is None or row["longitude"] is None:
        return None
    point: Ints = on_sphere(np.array([row["latitude"]]), np.array([row["longitude"]]))[0]
    return point


def usual_mean(client: Trail, moment: int) -> float | None:
    """Mean of the client's amounts of [t - 90 d, t - 14 d)."""
    before = client.window(moment - USUAL_DAYS * DAY, moment - RECENT_DAYS * DAY)
    return sum(past.amount for past in before) / len(before) if before else None


def ratio(part: float, whole: float | None) -> float | None:
    """`part / whole`, unknown where the whole is not positive."""
    return part / whole if whole is not None and whole > 0 else None
