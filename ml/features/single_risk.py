"""What was known of the counterparts of one transaction, by definition."""

from ml.features import counterparty_risk as of_batch
from ml.features.history import Features, Row, Trail, ratio
from ml.features.timeline import DAY
from ml.features.view import HIGH, USUAL_DAYS


def risk(payee: Trail, location: Trail, row: Row, moment: int) -> Features:
    found: Features = {"location_risk_28d": None if row["location"] is None else _rate(location, moment, 28)}
    if row["beneficiary"] is None:
        return {**dict.fromkeys(RISK_NAMES), **found}
    known = payee.reported(0, moment)
    for days in of_batch.RISK_DAYS:
        found[f"beneficiary_frauds_{days}d"] = float(sum(when >= moment - days * DAY for when, _ in known))
        if days in of_batch.SMOOTHED_DAYS:
            found[f"beneficiary_risk_{days}d"] = _rate(payee, moment, days)
    ordinary = [(when, place) for when, place in known if payee.pasts[place].to_usual <= HIGH]
    labelled = payee.count(moment - of_batch.LABEL_DELAY_DAYS * DAY)
    oldest = payee.count(moment - USUAL_DAYS * DAY)
    last = payee.pasts[max(labelled - of_batch.LAST, oldest) : labelled]
    recent = payee.reported(moment - USUAL_DAYS * DAY, moment)
    found["beneficiary_labelled_28d"] = float(labelled - payee.count(moment - (of_batch.LABEL_DELAY_DAYS + 28) * DAY))
    found["ordinary_frauds_28d"] = float(sum(when >= moment - 28 * DAY for when, _ in ordinary))
    found["last_labelled_share"] = ratio(sum(past.reported < moment for past in last), len(last))
    found["days_since_fraud_report"] = (moment - recent[-1][0]) / DAY if recent else None
    return {
        **found,
        **_episode(labelled, known, known, moment, "report"),
        **_episode(labelled, ordinary, known, moment, "ordinary"),
    }


RISK_NAMES = (
    *(f"beneficiary_frauds_{days}d" for days in of_batch.RISK_DAYS),
    *(f"beneficiary_risk_{days}d" for days in of_batch.SMOOTHED_DAYS),
    "beneficiary_labelled_28d", "ordinary_frauds_28d", "last_labelled_share", "days_since_fraud_report",
    *(f"{what}_since_first_{suffix}" for what in ("days", "frauds", "honest", "fraud_share")
      for suffix in ("report", "ordinary")),
)  # fmt: skip


def _rate(trail: Trail, moment: int, days: int) -> float:
    frauds, delay = len(trail.reported(moment - days * DAY, moment)), of_batch.LABEL_DELAY_DAYS
    count = trail.count(moment - delay * DAY) - trail.count(moment - (delay + days) * DAY)
    return (frauds + of_batch.PRIOR_FRAUDS) / (count + of_batch.PRIOR_TRANSACTIONS)


def _episode(
    labelled: int, opening: list[tuple[float, int]], known: list[tuple[float, int]], moment: int, suffix: str
) -> Features:
    """`labelled`: how many of the payee's transactions are old enough for their labels. Reports: moment and place."""
    episode = [one for one in opening if one[0] >= moment - of_batch.EPISODE_DAYS * DAY]
    found: Features = {f"frauds_since_first_{suffix}": float(len(episode))}
    if not episode:
        names = (f"{what}_since_first_{suffix}" for what in ("days", "honest", "fraud_share"))
        return {**found, **dict.fromkeys(names)}
    opened, place = episode[0]
    frauds = sum(when >= opened for when, _ in known)
    honest = max(labelled - place - frauds, 0)
    found[f"days_since_first_{suffix}"] = (moment - opened) / DAY
    found[f"honest_since_first_{suffix}"] = float(honest)
    found[f"fraud_share_since_first_{suffix}"] = ratio(frauds, frauds + honest)
    return found
