"""The amount of one transaction, by definition."""

from math import log1p, sqrt

from ml.features.amount import ROUND_UNITS
from ml.features.history import WINDOWS, Features, Row, Trail, amount_of, ratio, usual_mean
from ml.features.sums import EQUAL
from ml.features.timeline import DAY
from ml.features.view import HIGH, USUAL_DAYS


def amount(client: Trail, row: Row, moment: int) -> Features:
    own, unit = amount_of(row), row["amount"] / row["amount_minor"] if row["amount_minor"] > 0 else None
    usual = usual_mean(client, moment)
    found: Features = {
        "log_amount": log1p(max(row["amount"], 0)),
        "is_round_amount": float(row["amount"] > 0 and row["amount"] % ROUND_UNITS == 0),
        "amount_to_usual": ratio(own, usual),
    }
    for name, window in (*WINDOWS.items(), ("90d", USUAL_DAYS * DAY)):
        amounts = [past.amount for past in client.window(moment - window, moment)]
        mean = sum(amounts) / len(amounts) if amounts else None
        found[f"amount_to_mean_{name}"] = ratio(own, mean)
        if name != "24h":
            found[f"client_mean_{name}"] = None if mean is None or unit is None else mean * unit
            deviation = _deviation(amounts)
            found[f"amount_z_{name}"] = (own - mean) / deviation if mean is not None and deviation else None
        if name == "90d":
            found["amount_to_max_90d"] = ratio(own, max(amounts, default=0))
    for days in (1, 3, 7):
        recent = [past.amount for past in client.window(moment - days * DAY, moment)]
        found[f"client_mean_{days}d_to_usual"] = ratio(sum(recent) / len(recent), usual) if recent else None
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
