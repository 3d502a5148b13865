"""What was known of frauds at the beneficiary and the location when a transaction was made: reports, not truths."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ml.features.counterpart import NEVER, Counterpart, Told
from ml.features.timeline import DAY, Columns, Floats, Ints, Timeline, running, share
from ml.features.view import USUAL_DAYS

# Reports come about a week after their transactions: counts of transactions look back as much further.
LABEL_DELAY_DAYS = 7
# A beneficiary in whose transactions fraud goes on: as long as an episode is, seen from its first report.
EPISODE_DAYS = 28 - LABEL_DELAY_DAYS
# Reports come in bursts: short windows tell a fresh one.
RISK_DAYS = (1, 3, 7, 14, 21, 28)
SMOOTHED_DAYS = (7, 14, 28)
LAST = 3
# Prior of the smoothed rate: about the share of frauds, as one more transaction.
PRIOR_FRAUDS, PRIOR_TRANSACTIONS = 0.02, 1.0


@dataclass(frozen=True)
class Reports:
    """Frauds along a timeline, by entity and by when they were reported.

    `key`: of the report, as the timeline counts. `position`: of the transaction. `until`: for each position that is
    asked for, how many of them were reported before its moment, those of earlier entities included.
    """

    line: Timeline
    key: Ints
    position: Ints
    until: Ints

    @classmethod
    def of(cls, line: Timeline, position: Ints, reported: Ints) -> "Reports":
        """Of the transactions at some positions."""
        key = line.keys_of(position, reported)
        by_report = np.argsort(key, kind="stable")
        return cls(line, key[by_report], position[by_report], _before(line, key))

    def since(self, days: int) -> Ints:
        """For each position, how many were reported before [t - days, t)."""
        return _before(self.line, self.key + days * DAY)


def _before(line: Timeline, keys: Ints) -> Ints:
    """For each position that is asked for, how many keys are before its moment; they are few, and looked up cheaply."""
    first_after = np.searchsorted(line.own, keys, side="right")
    return np.cumsum(np.bincount(first_after, minlength=len(line.own) + 1)[:-1])


# 0, and all else unknown, at a beneficiary of which no fraud has been reported.
COUNTS = (
    *(f"beneficiary_frauds_{days}d" for days in RISK_DAYS),
    "ordinary_frauds_28d", "frauds_since_first_report", "frauds_since_first_ordinary",
)  # fmt: skip


def counterparty_risk(payee: Counterpart) -> Iterator[Told]:
    """Reported frauds at the beneficiary over windows, and its last and first ones."""
    line, reported = payee.line, payee.known.reported.take(payee.rows)
    is_fraud = reported < NEVER
    frauds = np.flatnonzero(is_fraud)
    reports = Reports.of(line, frauds, reported[frauds])
    # Of which the amount was not high for their client, or of which nothing is known.
    frauds = frauds[~payee.known.is_high[payee.rows[frauds]]]
    ordinary = Reports.of(line, frauds, reported[frauds])
    seen = line.back(LABEL_DELAY_DAYS * DAY)
    counts = {days: reports.until - reports.since(days) for days in RISK_DAYS}
    labelled = {days: seen - line.back((LABEL_DELAY_DAYS + days) * DAY) for days in SMOOTHED_DAYS}
    yield (
        payee.told,
        {
            **{f"beneficiary_risk_{days}d": _smoothed(counts[days], labelled[days]) for days in SMOOTHED_DAYS},
            "beneficiary_labelled_28d": labelled[28],
            "last_labelled_share": _last(line, payee.known.moment.take(payee.told), reported, seen),
        },
    )
    has_report = np.flatnonzero(reports.until > running(is_fraud)[line.start])
    of_reports = {
        **{f"beneficiary_frauds_{days}d": count for days, count in counts.items()},
        "ordinary_frauds_28d": ordinary.until - ordinary.since(28),
        "days_since_fraud_report": _days_since_last(reports),
        **_episode(reports, reports, seen, "report"),
        **_episode(ordinary, reports, seen, "ordinary"),
    }
    yield payee.told[has_report], {name: values[has_report] for name, values in of_reports.items()}


def location_risk(place: Counterpart) -> Iterator[Told]:
    """The rate at the location."""
    line, reported = place.line, place.known.reported[place.rows]
    frauds = np.flatnonzero(reported < NEVER)
    reports = Reports.of(line, frauds, reported[frauds])
    labelled = line.back(LABEL_DELAY_DAYS * DAY) - line.back((LABEL_DELAY_DAYS + 28) * DAY)
    yield place.told, {"location_risk_28d": _smoothed(reports.until - reports.since(28), labelled)}


def _smoothed(frauds: Ints, transactions: Ints) -> Floats:
    rate: Floats = (frauds + PRIOR_FRAUDS) / (transactions + PRIOR_TRANSACTIONS)
    return rate


def _last(line: Timeline, moment: Ints, reported: Ints, seen: Ints) -> Floats:
    """Share of frauds, as reported by now, of the beneficiary's last 3 transactions of [t - 90 d, t - label delay)."""
    known, count = np.zeros(len(seen)), np.minimum(seen - line.back(USUAL_DAYS * DAY), LAST)
    for back in range(1, LAST + 1):
        known += (back <= count) & (reported.take(np.maximum(seen - back, 0)) < moment)
    return share(known, count)


def _days_since_last(reports: Reports) -> Floats:
    out = np.full(len(reports.line.own), np.nan)
    has_one = np.flatnonzero(reports.until > reports.since(USUAL_DAYS))
    out[has_one] = (reports.line.own[has_one] - reports.key[reports.until[has_one] - 1]) / DAY
    return out


def _episode(opening: Reports, reports: Reports, seen: Ints, suffix: str) -> Columns:
    """The first report of the last 21 days, what was reported since, and the transactions beside those frauds."""
    line, first = opening.line, opening.since(EPISODE_DAYS)
    frauds = opening.until - first
    days, honest, rate = (np.full(len(line.own), np.nan) for _ in range(3))
    has_one = np.flatnonzero(frauds)
    opened = opening.key[first[has_one]]
    days[has_one] = (line.own[has_one] - opened) / DAY
    known_frauds = reports.until[has_one] - np.searchsorted(reports.key, opened)
    others = np.maximum(seen[has_one] - opening.position[first[has_one]] - known_frauds, 0)
    honest[has_one], rate[has_one] = others, share(known_frauds, known_frauds + others)
    return {
        f"days_since_first_{suffix}": days,
        f"frauds_since_first_{suffix}": frauds,
        f"honest_since_first_{suffix}": honest,
        f"fraud_share_since_first_{suffix}": rate,
    }
