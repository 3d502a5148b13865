"""What was known of frauds at the beneficiary and the location when a transaction was made: reports, not truths."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.features.amount import HIGH
from ml.features.timeline import DAY, Floats, Ints, Timeline, share
from ml.features.view import NEVER, View, entity

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

    `key`: of the report, as the timeline counts. `position`: of the transaction. `until`: for each position of the
    timeline, how many of them were reported before its moment, those of earlier entities included.
    """

    key: Ints
    position: Ints
    until: Ints

    @classmethod
    def of(cls, line: Timeline, is_fraud: npt.NDArray[np.bool_], reported: Ints) -> "Reports":
        """Of rows of the timeline's frame."""
        position = np.flatnonzero(line.along(is_fraud))
        key = line.keys_of(position, line.along(reported)[position])
        by_report = np.argsort(key, kind="stable")
        return cls(key[by_report], position[by_report], np.searchsorted(key[by_report], line.key))

    def since(self, line: Timeline, days: int) -> Ints:
        """For each position, how many were reported before [t - days, t)."""
        return np.searchsorted(self.key, line.key - days * DAY)


def counterparty_risk(view: View) -> dict[str, Floats]:
    """Reported frauds at the beneficiary over windows, its last and first ones, and the rate at the location."""
    line = view.beneficiary
    reports = Reports.of(line, view.is_fraud, view.reported)
    ordinary = Reports.of(line, view.is_fraud & _is_ordinary(view), view.reported)
    seen = line.back(LABEL_DELAY_DAYS * DAY)
    found: dict[str, npt.NDArray[np.generic]] = {}
    for days in RISK_DAYS:
        frauds = found[f"beneficiary_frauds_{days}d"] = reports.until - reports.since(line, days)
        if days in SMOOTHED_DAYS:
            labelled = seen - line.back((LABEL_DELAY_DAYS + days) * DAY)
            found[f"beneficiary_risk_{days}d"] = _smoothed(frauds, labelled)
    found["beneficiary_labelled_28d"] = labelled
    found["ordinary_frauds_28d"] = ordinary.until - ordinary.since(line, 28)
    found["last_labelled_share"] = _last(view, seen)
    found["days_since_fraud_report"] = _days_since_last(line, reports)
    found |= _episode(line, reports, reports, seen, "report") | _episode(line, ordinary, reports, seen, "ordinary")
    spread = {name: view.where_known("beneficiary", line.rows(values)) for name, values in found.items()}
    return spread | {"location_risk_28d": _location_risk(view)}


def _smoothed(frauds: Ints, transactions: Ints) -> Floats:
    rate: Floats = (frauds + PRIOR_FRAUDS) / (transactions + PRIOR_TRANSACTIONS)
    return rate


def _is_ordinary(view: View) -> npt.NDArray[np.bool_]:
    """Rows whose amount was not high for their client, or of which nothing is known."""
    return ~(share(view.minor, view.usual_mean()) > HIGH)


def _last(view: View, seen: Ints) -> Floats:
    """Share of frauds, as reported by now, of the beneficiary's last 3 transactions of a label delay ago."""
    line = view.beneficiary
    reported = np.where(line.along(view.is_fraud), line.along(view.reported), NEVER)
    moment, known, count = line.along(view.moment), np.zeros(len(seen)), np.minimum(seen - line.start, LAST)
    for back in range(1, LAST + 1):
        known += (back <= count) & (reported[np.maximum(seen - back, 0)] < moment)
    return share(known, count)


def _days_since_last(line: Timeline, reports: Reports) -> Floats:
    out = np.full(len(line.key), np.nan)
    last = reports.until - 1
    if len(reports.key):
        has_one = (last >= 0) & (reports.position[np.maximum(last, 0)] >= line.start)
        out[has_one] = (line.key[has_one] - reports.key[last[has_one]]) / DAY
    return out


def _episode(line: Timeline, opening: Reports, reports: Reports, seen: Ints, suffix: str) -> dict[str, Floats]:
    """The first report of the last 21 days, what was reported since, and the transactions beside those frauds."""
    first = opening.since(line, EPISODE_DAYS)
    frauds = opening.until - first
    days, honest, known_frauds = (np.full(len(line.key), np.nan) for _ in range(3))
    has_one = np.flatnonzero(frauds > 0)
    if len(has_one):
        opened = opening.key[first[has_one]]
        days[has_one] = (line.key[has_one] - opened) / DAY
        known_frauds[has_one] = reports.until[has_one] - np.searchsorted(reports.key, opened)
        honest[has_one] = np.maximum(seen[has_one] - opening.position[first[has_one]] - known_frauds[has_one], 0)
    return {
        f"days_since_first_{suffix}": days,
        f"frauds_since_first_{suffix}": frauds.astype(float),
        f"honest_since_first_{suffix}": honest,
        f"fraud_share_since_first_{suffix}": share(known_frauds, known_frauds + honest),
    }


def _location_risk(view: View) -> Floats:
    line = view.line_of(entity(view.frame, "location"))
    reports = Reports.of(line, view.is_fraud, view.reported)
    frauds = reports.until - reports.since(line, 28)
    labelled = line.back(LABEL_DELAY_DAYS * DAY) - line.back((LABEL_DELAY_DAYS + 28) * DAY)
    return view.where_known("location", line.rows(_smoothed(frauds, labelled)))
