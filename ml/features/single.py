"""The features of one transaction, each by its definition: for a running system, and to hold the batch against.

Nothing here is shared with the batch but constants, the clock of a country and a point on the sphere.
"""

from collections import Counter

from ml.features.channel import HABIT_DAYS
from ml.features.client import RISK_LEVELS, SIZES
from ml.features.history import WINDOWS, Features, History, Row, Trail, moment_of, ratio
from ml.features.single_amount import amount
from ml.features.single_geography import geography
from ml.features.single_risk import risk
from ml.features.single_temporal import temporal
from ml.features.timeline import DAY, HOUR
from ml.features.velocity import COLD
from ml.features.view import USUAL_DAYS


def features(history: History, row: Row) -> Features:
    """Name -> value, None where nothing is known; from what came before the transaction, which is not added."""
    moment = moment_of(row)
    client = history.clients.get(row["client"], Trail())
    payee = history.beneficiaries.get(row["beneficiary"], Trail())
    return {
        **temporal(client, row, moment),
        **amount(client, row, moment),
        **_velocity(client, moment),
        **_beneficiary(client, row, moment),
        **_fan_in(payee, row, moment),
        **_habit(client, row, moment),
        **geography(client, row, moment),
        **risk(payee, history.locations.get(row["location"], Trail()), row, moment),
        **_client(row),
    }


def _velocity(client: Trail, moment: int) -> Features:
    windows = {"1h": HOUR, **WINDOWS, "90d": USUAL_DAYS * DAY}
    pasts = {name: client.window(moment - window, moment) for name, window in windows.items()}
    paid = {name: sum(past.amount for past in pasts[name]) for name in ("24h", "30d")}
    last = pasts["90d"][-1].moment if pasts["90d"] else None
    return {
        **{f"client_count_{name}": float(len(found)) for name, found in pasts.items()},
        "client_amount_24h_to_30d": ratio(paid["24h"] * 30, paid["30d"]),
        "client_count_24h_to_30d": ratio(len(pasts["24h"]) * 30, len(pasts["30d"])),
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
        "channel_share_30d": ratio(channels[row["channel"]], len(pasts)),
        "service_share_30d": ratio(sum(past.row["service"] == row["service"] for past in pasts), len(pasts)),
        "is_channel_changed": None if usual is None else float(row["channel"] != usual),
    }


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
