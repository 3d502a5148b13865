"""What was known of the counterparts of one transaction, by definition."""

from ml.features import counterparty_risk as of_batch
from ml.features.history import Features, History, Past, Row, Trail, ratio
from ml.features.timeline import DAY
from ml.features.view import HIGH


def risk(history: History, payee: Trail, row: Row, moment: int) -> Features:
    place = history.locations.get(row["location"], Trail())
    known, rates = _reports(history, payee, moment), _rates(history, place, moment, 28)
    found: Features = {"location_risk_28d": None if row["location"] is None else rates}
    if row["beneficiary"] is None:
        return {**dict.fromkeys(RISK_NAMES), **found}
    for days in of_batch.RISK_DAYS:
        found[f"beneficiary_frauds_{days}d"] = float(sum(when >= moment - days * DAY for when, _ in known))
        if days in of_batch.SMOOTHED_DAYS:
            found[f"beneficiary_risk_{days}d"] = _rates(history, payee, moment, days)
    ordinary = [(when, past) for when, past in known if past.to_usual <= HIGH]
    labelled = payee.window(moment - (of_batch.LABEL_DELAY_DAYS + 28) * DAY, moment - of_batch.LABEL_DELAY_DAYS * DAY)
    last = payee.window(0, moment - of_batch.LABEL_DELAY_DAYS * DAY)[-of_batch.LAST :]
    found["beneficiary_labelled_28d"] = float(len(labelled))
    found["ordinary_frauds_28d"] = float(sum(when >= moment - 28 * DAY for when, _ in ordinary))
    found["last_labelled_share"] = ratio(sum(_report_of(history, past) < moment for past in last), len(last))
    found["days_since_fraud_report"] = (moment - max(when for when, _ in known)) / DAY if known else None
    return {
        **found,
        **_episode(payee, known, known, moment, "report"),
        **_episode(payee, ordinary, known, moment, "ordinary"),
    }


RISK_NAMES = (
    *(f"beneficiary_frauds_{days}d" for days in of_batch.RISK_DAYS),
    *(f"beneficiary_risk_{days}d" for days in of_batch.SMOOTHED_DAYS),
    "beneficiary_labelled_28d", "ordinary_frauds_28d", "last_labelled_share", "days_since_fraud_report",
    *(f"{what}_since_first_{suffix}" for what in ("days", "frauds", "honest", "fraud_share")
      for suffix in ("report", "ordinary")),
)  # fmt: skip


def _report_of(history: History, past: Past) -> float:
    return history.reported.get(past.row["transaction_id"], float("inf"))


def _reports(history: History, payee: Trail, moment: int) -> list[tuple[float, Past]]:
    """Frauds among the past that were reported by now, in the order of the reports."""
    reports = [(_report_of(history, past), place, past) for place, past in enumerate(payee.pasts)]
    return [(when, past) for when, _, past in sorted(reports, key=lambda one: one[:2]) if when < moment]


def _rates(history: History, trail: Trail, moment: int, days: int) -> float:
    frauds = sum(moment - days * DAY <= when < moment for when in (_report_of(history, past) for past in trail.pasts))
    delay = of_batch.LABEL_DELAY_DAYS
    count = len(trail.window(moment - (delay + days) * DAY, moment - delay * DAY))
    return (frauds + of_batch.PRIOR_FRAUDS) / (count + of_batch.PRIOR_TRANSACTIONS)


def _episode(
    payee: Trail, opening: list[tuple[float, Past]], known: list[tuple[float, Past]], moment: int, suffix: str
) -> Features:
    episode = [one for one in opening if one[0] >= moment - of_batch.EPISODE_DAYS * DAY]
    found: Features = {f"frauds_since_first_{suffix}": float(len(episode))}
    if not episode:
        names = (f"{what}_since_first_{suffix}" for what in ("days", "honest", "fraud_share"))
        return {**found, **dict.fromkeys(names)}
    opened, first = episode[0]
    frauds = sum(when >= opened for when, _ in known)
    place = payee.pasts.index(first)
    since = len(payee.window(0, moment - of_batch.LABEL_DELAY_DAYS * DAY)) - place
    honest = max(since - frauds, 0)
    found[f"days_since_first_{suffix}"] = (moment - opened) / DAY
    found[f"honest_since_first_{suffix}"] = float(honest)
    found[f"fraud_share_since_first_{suffix}"] = ratio(frauds, frauds + honest)
    return found
