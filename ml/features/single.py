"""The features of one transaction, each by its definition: for a running system, and to hold the batch against.

Nothing here is shared with the batch but constants, the clock of a country and a point on the sphere.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from math import cos, log1p, pi, sqrt
from zoneinfo import ZoneInfo

import numpy as np

from ml.features import counterparty_risk as risk
from ml.features.amount import ROUND_UNITS
from ml.features.channel import HABIT_DAYS
from ml.features.client import RISK_LEVELS, SIZES
from ml.features.clocks import clock_of
from ml.features.geography import LEAST_HOURS, PARTS, arc_km, on_sphere
from ml.features.history import History, Past, Row, Trail, amount_of, moment_of, usual_mean
from ml.features.sums import EQUAL
from ml.features.temporal import FIRST_BUSINESS_HOUR, LAST_BUSINESS_HOUR
from ml.features.timeline import DAY, HOUR, Floats
from ml.features.velocity import COLD
from ml.features.view import HIGH, USUAL_DAYS

Features = dict[str, float | None]

WINDOWS = {"24h": 24 * HOUR, "7d": 7 * DAY, "30d": 30 * DAY}


def features(history: History, row: Row) -> Features:
    """Name -> value, None where nothing is known; from what came before the transaction, which is not added."""
    moment = moment_of(row)
    client = history.clients.get(row["client"], Trail())
    payee = history.beneficiaries.get(row["beneficiary"], Trail())
    return {
        **_temporal(client, row, moment),
        **_amount(client, row, moment),
        **_velocity(client, moment),
        **_beneficiary(client, row, moment),
        **_fan_in(payee, row, moment),
        **_habit(client, row, moment),
        **_geography(client, row, moment),
        **_risk(history, payee, row, moment),
        **_client(row),
    }


def _local(row: Row) -> datetime:
    moment = row["transaction_ts"].astimezone(ZoneInfo(clock_of(row["client_country"]).zone))
    local: datetime = moment.replace(tzinfo=UTC)
    return local


def _temporal(client: Trail, row: Row, moment: int) -> Features:
    local = _local(row)
    off = int(local.timestamp() // 86_400) in clock_of(row["client_country"]).days_off
    weekend, hour = local.weekday() >= 5, local.hour
    month_end = (local.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    before = [_local(past.row) for past in client.window(moment - USUAL_DAYS * DAY, moment)]
    alike = [cos((_minute(local) - _minute(other)) * 2 * pi / 1440) for other in before]
    milliseconds = local.microsecond // 1000
    return {
        "local_hour": (local.hour * HOUR + local.minute * 60_000 + local.second * 1000 + milliseconds) / HOUR,
        "weekday": float(local.weekday()),
        "is_weekend": float(weekend),
        "is_holiday": float(off),
        "is_business_hours": float(FIRST_BUSINESS_HOUR <= hour <= LAST_BUSINESS_HOUR and not weekend and not off),
        "days_to_month_end": float(month_end.day - local.day),
        "hour_deviation": 1 - sum(alike) / len(alike) if alike else None,
    }


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _amount(client: Trail, row: Row, moment: int) -> Features:
    own, unit = amount_of(row), row["amount"] / row["amount_minor"] if row["amount_minor"] > 0 else None
    usual = usual_mean(client, moment)
    found: Features = {
        "log_amount": log1p(max(row["amount"], 0)),
        "is_round_amount": float(row["amount"] > 0 and row["amount"] % ROUND_UNITS == 0),
        "amount_to_usual": _share(own, usual),
    }
    for name, window in (*WINDOWS.items(), ("90d", USUAL_DAYS * DAY)):
        amounts = [amount_of(past.row) for past in client.window(moment - window, moment)]
        mean = sum(amounts) / len(amounts) if amounts else None
        found[f"amount_to_mean_{name}"] = _share(own, mean)
        if name != "24h":
            found[f"client_mean_{name}"] = None if mean is None or unit is None else mean * unit
            deviation = _deviation(amounts)
            found[f"amount_z_{name}"] = (own - mean) / deviation if mean is not None and deviation else None
        if name == "90d":
            found["amount_to_max_90d"] = _share(own, max(amounts, default=0))
    for days in (1, 3, 7):
        recent = [amount_of(past.row) for past in client.window(moment - days * DAY, moment)]
        found[f"client_mean_{days}d_to_usual"] = _share(sum(recent) / len(recent), usual) if recent else None
    for days in (3, 7, 14):
        ratios = [past.to_usual for past in client.window(moment - days * DAY, moment)]
        found[f"client_high_{days}d"] = float(sum(ratio > HIGH for ratio in ratios))
        if days < 14:
            found[f"client_highest_to_usual_{days}d"] = max(ratios, default=None)
    return found


def _deviation(amounts: list[int]) -> float | None:
    count, total = len(amounts), sum(amounts)
    if count < 2:
        return None
    # Whole numbers until the last step.
    spread = (count * sum(amount * amount for amount in amounts) - total * total) / (count * (count - 1))
    return sqrt(spread) if spread > EQUAL * (total / count) ** 2 else None


def _velocity(client: Trail, moment: int) -> Features:
    windows = {"1h": HOUR, **WINDOWS, "90d": USUAL_DAYS * DAY}
    pasts = {name: client.window(moment - window, moment) for name, window in windows.items()}
    paid = {name: sum(amount_of(past.row) for past in pasts[name]) for name in ("24h", "30d")}
    last = pasts["90d"][-1].moment if pasts["90d"] else None
    return {
        **{f"client_count_{name}": float(len(found)) for name, found in pasts.items()},
        "client_amount_24h_to_30d": _share(paid["24h"] * 30, paid["30d"]),
        "client_count_24h_to_30d": _share(len(pasts["24h"]) * 30, len(pasts["30d"])),
        "hours_since_previous": None if last is None else (moment - last) / HOUR,
        "is_cold_start": float(len(pasts["90d"]) < COLD),
    }


def _beneficiary(client: Trail, row: Row, moment: int) -> Features:
    found: Features = {}
    for name, window in WINDOWS.items():
        pasts = client.window(moment - window, moment)
        found[f"client_beneficiaries_{name}"] = float(len({past.row["beneficiary"] for past in pasts} - {None}))
        if name != "30d":
            found[f"client_new_beneficiaries_{name}"] = float(sum(past.is_new_pair for past in pasts))
    before = client.window(moment - USUAL_DAYS * DAY, moment)
    pair = [past for past in before if past.row["beneficiary"] == row["beneficiary"]]
    has_one = row["beneficiary"] is not None
    found["is_new_beneficiary"] = float(not pair) if has_one else None
    found["pair_count_90d"] = float(len(pair)) if has_one else None
    found["pair_age_days"] = (moment - pair[0].moment) / DAY if has_one and pair else None
    return found


def _fan_in(payee: Trail, row: Row, moment: int) -> Features:
    found: Features = {}
    for name, window in WINDOWS.items():
        pasts, has_one = payee.window(moment - window, moment), row["beneficiary"] is not None
        found[f"beneficiary_count_{name}"] = float(len(pasts)) if has_one else None
        found[f"beneficiary_clients_{name}"] = float(len({past.row["client"] for past in pasts})) if has_one else None
    return found


def _habit(client: Trail, row: Row, moment: int) -> Features:
    pasts = client.window(moment - HABIT_DAYS * DAY, moment)
    channels = Counter(past.row["channel"] for past in pasts)
    usual = min(channels, key=lambda key: (-channels[key], key), default=None)
    return {
        "channel_share_30d": _share(channels[row["channel"]], len(pasts)),
        "service_share_30d": _share(sum(past.row["service"] == row["service"] for past in pasts), len(pasts)),
        "is_channel_changed": None if usual is None else float(row["channel"] != usual),
    }


def _geography(client: Trail, row: Row, moment: int) -> Features:
    pasts = client.window(moment - HABIT_DAYS * DAY, moment)
    here, home = row["location_country"], row["client_country"]
    same = sum(past.row["location"] == row["location"] for past in pasts)
    at = _point(row)
    placed = [past for past in client.window(moment - USUAL_DAYS * DAY, moment) if _point(past.row) is not None]
    km = (
        arc_km(at / PARTS, point / PARTS)
        if placed and at is not None and (point := _point(placed[-1].row)) is not None
        else None
    )
    hours = (moment - placed[-1].moment) / HOUR if placed else 0.0
    return {
        "is_other_country": None if here is None or home is None else float(here != home),
        "location_share_30d": None if row["location"] is None else _share(same, len(pasts)),
        "km_from_previous": None if km is None else float(km),
        "kmh_from_previous": None if km is None else float(km) / max(hours, LEAST_HOURS),
        "km_from_usual": _km_from_usual(at, [_point(past.row) for past in pasts]),
    }


def _point(row: Row) -> "np.ndarray | None":
    if row["latitude"] is None or row["longitude"] is None:
        return None
    return on_sphere(np.array([row["latitude"]]), np.array([row["longitude"]]))[:, 0]


def _km_from_usual(at: "np.ndarray | None", points: "list[np.ndarray | None]") -> float | None:
    there = [point for point in points if point is not None]
    if at is None or not there:
        return None
    centre: Floats = np.sum(there, axis=0).astype(float)
    length = np.sqrt((centre * centre).sum())
    return float(arc_km(at / PARTS, centre / length)) if length > 0 else None


def _risk(history: History, payee: Trail, row: Row, moment: int) -> Features:
    place = history.locations.get(row["location"], Trail())
    known, rates = _reports(history, payee, moment), _rates(history, place, moment, 28)
    found: Features = {"location_risk_28d": None if row["location"] is None else rates}
    if row["beneficiary"] is None:
        return {**dict.fromkeys(RISK_NAMES), **found}
    for days in risk.RISK_DAYS:
        found[f"beneficiary_frauds_{days}d"] = float(sum(when >= moment - days * DAY for when, _ in known))
        if days in risk.SMOOTHED_DAYS:
            found[f"beneficiary_risk_{days}d"] = _rates(history, payee, moment, days)
    ordinary = [(when, past) for when, past in known if past.to_usual <= HIGH]
    labelled = payee.window(moment - (risk.LABEL_DELAY_DAYS + 28) * DAY, moment - risk.LABEL_DELAY_DAYS * DAY)
    last = payee.window(0, moment - risk.LABEL_DELAY_DAYS * DAY)[-risk.LAST :]
    found["beneficiary_labelled_28d"] = float(len(labelled))
    found["ordinary_frauds_28d"] = float(sum(when >= moment - 28 * DAY for when, _ in ordinary))
    found["last_labelled_share"] = _share(sum(_report_of(history, past) < moment for past in last), len(last))
    found["days_since_fraud_report"] = (moment - max(when for when, _ in known)) / DAY if known else None
    return {
        **found,
        **_episode(payee, known, known, moment, "report"),
        **_episode(payee, ordinary, known, moment, "ordinary"),
    }


RISK_NAMES = (
    *(f"beneficiary_frauds_{days}d" for days in risk.RISK_DAYS),
    *(f"beneficiary_risk_{days}d" for days in risk.SMOOTHED_DAYS),
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
    delay = risk.LABEL_DELAY_DAYS
    count = len(trail.window(moment - (delay + days) * DAY, moment - delay * DAY))
    return (frauds + risk.PRIOR_FRAUDS) / (count + risk.PRIOR_TRANSACTIONS)


def _episode(
    payee: Trail, opening: list[tuple[float, Past]], known: list[tuple[float, Past]], moment: int, suffix: str
) -> Features:
    episode = [one for one in opening if one[0] >= moment - risk.EPISODE_DAYS * DAY]
    found: Features = {f"frauds_since_first_{suffix}": float(len(episode))}
    if not episode:
        names = (f"{what}_since_first_{suffix}" for what in ("days", "honest", "fraud_share"))
        return {**found, **dict.fromkeys(names)}
    opened, first = episode[0]
    frauds = sum(when >= opened for when, _ in known)
    place = payee.pasts.index(first)
    since = len(payee.window(0, moment - risk.LABEL_DELAY_DAYS * DAY)) - place
    honest = max(since - frauds, 0)
    found[f"days_since_first_{suffix}"] = (moment - opened) / DAY
    found[f"honest_since_first_{suffix}"] = float(honest)
    found[f"fraud_share_since_first_{suffix}"] = _share(frauds, frauds + honest)
    return found


def _client(row: Row) -> Features:
    onboarded = row["onboarded_on"]
    return {
        "client_size": _ranked(row["company_size"], SIZES),
        "client_risk_level": _ranked(row["risk_level"], RISK_LEVELS),
        "client_kyc_level": None if row["kyc_level"] is None else float(row["kyc_level"]),
        "client_tenure_days": None if onboarded is None else float((row["transaction_ts"].date() - onboarded).days),
    }


def _ranked(name: str | None, ranks: dict[str, int]) -> float | None:
    return float(ranks[name]) if name in ranks else None


def _share(part: float, whole: float | None) -> float | None:
    return part / whole if whole is not None and whole > 0 else None
