"""What was known of frauds at the beneficiary and the location when a transaction was made: reports, not truths."""

from typing import NamedTuple

import numpy as np

from ml.features.compiled import compiled, ratio
from ml.features.counterpart import NEVER, Counterpart
from ml.features.timeline import DAY, Columns, Floats, Ints, Timeline, before, running
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


class Risk(NamedTuple):
    """Columns of the beneficiary."""

    beneficiary_frauds_1d: Floats
    beneficiary_frauds_3d: Floats
    beneficiary_frauds_7d: Floats
    beneficiary_frauds_14d: Floats
    beneficiary_frauds_21d: Floats
    beneficiary_frauds_28d: Floats
    beneficiary_risk_7d: Floats
    beneficiary_risk_14d: Floats
    beneficiary_risk_28d: Floats
    beneficiary_labelled_28d: Floats
    last_labelled_share: Floats
    ordinary_frauds_28d: Floats
    days_since_fraud_report: Floats


class Episode(NamedTuple):
    """Columns of what was reported since the first report of the last 21 days."""

    days_since_first: Floats
    frauds_since_first: Floats
    honest_since_first: Floats
    fraud_share_since_first: Floats

    @classmethod
    def of(cls, out: Columns, suffix: str) -> "Episode":
        """Of reports of any fraud, or of ordinary ones."""
        return cls(*(out[f"{name}_{suffix}"] for name in cls._fields))


# 0, and all else unknown, at a beneficiary of which no fraud has been reported.
COUNTS = (
    *(f"beneficiary_frauds_{days}d" for days in RISK_DAYS),
    "ordinary_frauds_28d", "frauds_since_first_report", "frauds_since_first_ordinary",
)  # fmt: skip


class Windows(NamedTuple):
    """First positions of windows of transactions, which end when reports were to be expected: `seen`."""

    seen: Ints
    week: Ints
    fortnight: Ints
    month: Ints
    usual: Ints


class Told(NamedTuple):
    """Transactions at whose beneficiary a fraud has been reported: places in columns, and keys of their moments.

    The others are how many had been reported before those moments, or so long before them.
    """

    places: Ints
    own: Ints
    past: Windows
    until: Ints
    day: Ints
    three_days: Ints
    week: Ints
    fortnight: Ints
    three_weeks: Ints
    month: Ints
    usual: Ints


class Reports(NamedTuple):
    """Frauds along a timeline, by entity and by when they were reported.

    `key`: of the report, as the timeline counts. `position`: of the transaction.
    """

    key: Ints
    position: Ints

    @classmethod
    def of(cls, line: Timeline, position: Ints, reported: Ints) -> "Reports":
        """Of the transactions at some positions."""
        key = line.keys_of(position, reported)
        by_report = np.argsort(key, kind="stable")
        return cls(key[by_report], position[by_report])

    def before(self, own: Ints, days: int = 0) -> Ints:
        """For each key of a moment, how many were reported before [t - days, t), earlier entities included."""
        return before(self.key, own, days * DAY)


def counterparty_risk(payee: Counterpart) -> None:
    """Reported frauds at the beneficiary over windows, and its last and first ones."""
    line, reported = payee.line, payee.known.reported.take(payee.rows)
    is_fraud = reported < NEVER
    frauds = np.flatnonzero(is_fraud)
    reports = Reports.of(line, frauds, reported[frauds])
    # Of which the amount was not high for their client, or of which nothing is known.
    frauds = frauds[~payee.known.is_high[payee.rows[frauds]]]
    ordinary = Reports.of(line, frauds, reported[frauds])
    out = Risk._make(payee.out[name] for name in Risk._fields)
    labelled = (LABEL_DELAY_DAYS + days for days in (0, *SMOOTHED_DAYS))
    past = Windows._make(line.back(days * DAY) for days in (*labelled, USUAL_DAYS))
    _tell(out, payee.places, past, payee.moment, reported)
    has_report = np.flatnonzero(reports.before(line.own) > running(is_fraud)[line.start])
    own = line.own.take(has_report)
    known = (reports.before(own, days) for days in (0, *RISK_DAYS, USUAL_DAYS))
    told = Told(payee.places.take(has_report), own, Windows._make(of.take(has_report) for of in past), *known)
    _tell_reported(out, told, reports)
    out.ordinary_frauds_28d[told.places] = ordinary.before(own) - ordinary.before(own, 28)
    _tell_episode(Episode.of(payee.out, "report"), told, reports, reports)
    _tell_episode(Episode.of(payee.out, "ordinary"), told, reports, ordinary)


@compiled
def _tell(out: Risk, places: Ints, past: Windows, moment: Ints, reported: Ints) -> None:
    """What does not ask for reports, as if there were none."""
    for number in range(len(places)):
        place, seen = places[number], past.seen[number]
        out.beneficiary_risk_7d[place] = smoothed(0, seen - past.week[number])
        out.beneficiary_risk_14d[place] = smoothed(0, seen - past.fortnight[number])
        out.beneficiary_risk_28d[place] = smoothed(0, seen - past.month[number])
        out.beneficiary_labelled_28d[place] = seen - past.month[number]
        first, known = max(past.usual[number], seen - LAST), 0
        for position in range(first, seen):
            known += reported[position] < moment[number]
        out.last_labelled_share[place] = ratio(known, seen - first)


@compiled
def _tell_reported(out: Risk, told: Told, reports: Reports) -> None:
    past = told.past
    for number in range(len(told.places)):
        place, until, seen = told.places[number], told.until[number], past.seen[number]
        out.beneficiary_frauds_1d[place] = until - told.day[number]
        out.beneficiary_frauds_3d[place] = until - told.three_days[number]
        out.beneficiary_frauds_7d[place] = until - told.week[number]
        out.beneficiary_frauds_14d[place] = until - told.fortnight[number]
        out.beneficiary_frauds_21d[place] = until - told.three_weeks[number]
        out.beneficiary_frauds_28d[place] = until - told.month[number]
        out.beneficiary_risk_7d[place] = smoothed(until - told.week[number], seen - past.week[number])
        out.beneficiary_risk_14d[place] = smoothed(until - told.fortnight[number], seen - past.fortnight[number])
        out.beneficiary_risk_28d[place] = smoothed(until - told.month[number], seen - past.month[number])
        if until > told.usual[number]:
            out.days_since_fraud_report[place] = (told.own[number] - reports.key[until - 1]) / DAY


def _tell_episode(out: Episode, told: Told, reports: Reports, opening: Reports) -> None:
    """The first report of the last 21 days, what was reported since, and the transactions beside those frauds."""
    until, first = opening.before(told.own), opening.before(told.own, EPISODE_DAYS)
    _tell_since(out, told, opening, until, first, np.searchsorted(reports.key, opening.key))


@compiled
def _tell_since(out: Episode, told: Told, opening: Reports, until: Ints, first: Ints, rank: Ints) -> None:
    """`rank`: how many of all reports are before each of those that can open an episode."""
    for number in range(len(told.places)):
        place, report = told.places[number], first[number]
        if report == until[number]:
            continue
        frauds = told.until[number] - rank[report]
        honest = max(told.past.seen[number] - opening.position[report] - frauds, 0)
        out.days_since_first[place] = (told.own[number] - opening.key[report]) / DAY
        out.frauds_since_first[place] = until[number] - report
        out.honest_since_first[place] = honest
        out.fraud_share_since_first[place] = ratio(frauds, frauds + honest)


def location_risk(place: Counterpart) -> None:
    """The rate at the location."""
    line, reported = place.line, place.known.reported[place.rows]
    frauds = np.flatnonzero(reported < NEVER)
    reports = Reports.of(line, frauds, reported[frauds])
    known = reports.before(line.own) - reports.before(line.own, 28)
    labelled = line.back(LABEL_DELAY_DAYS * DAY) - line.back((LABEL_DELAY_DAYS + 28) * DAY)
    _tell_location(place.out["location_risk_28d"], place.places, known, labelled)


@compiled
def _tell_location(out: Floats, places: Ints, frauds: Ints, transactions: Ints) -> None:
    for number in range(len(places)):
        out[places[number]] = smoothed(frauds[number], transactions[number])


@compiled
def smoothed(frauds: int, transactions: int) -> float:
    """The rate, with a prior."""
    return (frauds + PRIOR_FRAUDS) / (transactions + PRIOR_TRANSACTIONS)
