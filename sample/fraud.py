"""Five ways of stealing, planted among the ordinary business of a month.

Each is odd in a combination of features; none stands out in a single one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample import amounts, beneficiaries, rows
from sample.calendar import DAY_SECONDS, Month
from sample.catalogue import CHANNEL, SERVICE
from sample.clients import Clients, foreign_place
from sample.dice import Array, Floats
from sample.places import FIRST_PLACE, PLACES_IN
from sample.plan import SamplePlan, random_stream
from sample.rows import Rows
from sample.transactions import CURRENCY_OF, OFFSET_OF, RECEIVER, clip_to_month, outcomes

TYPOLOGIES = ("account_takeover", "split_deposits", "fan_in_mule", "beneficiary_burst", "impossible_travel")
SHARE = 0.004
_CASE_SIZES = ((3, 8), (6, 15), (10, 30), (10, 25), (2, 4))  # fewest and most rows of a case
_CASE_SHARES = (0.36, 0.14, 0.09, 0.11, 0.30)
# Keys of receivers no honest client pays lie above this number.
_FIRST_KEY = 1 << 58

Cases = list[tuple[int, int]]  # typology, number of rows


@dataclass(frozen=True)
class Scene:
    """What every typology needs to know of its month."""

    month: Month
    clients: Clients
    weights: Floats  # of victims
    rng: np.random.Generator

    def victims(self, count: int) -> Array:
        return self.rng.choice(len(self.clients), count, p=self.weights)

    def day(self, count: int) -> Array:
        """Epoch second of local midnight on a day with room for a case of three days."""
        return self.month.start + self.rng.integers(1, self.month.days - 4, count) * DAY_SECONDS

    def keys(self, count: int) -> Array:
        return _FIRST_KEY + self.rng.integers(0, 1 << 57, count)


def schedule(plan: SamplePlan, monthly: list[int]) -> list[Cases]:
    """The cases of each month, in number proportional to its rows."""
    rng = random_stream(plan, 2)
    planted, target = 0, 0.0
    months: list[Cases] = []
    for total in monthly:
        target += total * SHARE
        cases: Cases = []
        room = total // 4
        while planted < target:
            typology = int(rng.choice(len(TYPOLOGIES), p=_CASE_SHARES))
            fewest, most = _CASE_SIZES[typology]
            size = int(rng.integers(fewest, most + 1))
            if size > room or planted + size / 2 > target:
                break
            cases.append((typology, size))
            planted, room = planted + size, room - size
        months.append(cases)
    return months


def draw(month: Month, clients: Clients, weights: Floats, cases: Cases, rng: np.random.Generator) -> Rows:
    square = np.sqrt(weights)
    scene = Scene(month, clients, square / square.sum(), rng)
    plots = (_account_takeover, _split_deposits, _fan_in_mule, _beneficiary_burst, _impossible_travel)
    parts = [rows.nothing()]
    for typology, plot in enumerate(plots):
        sizes = np.array([size for kind, size in cases if kind == typology], dtype=np.int64)
        if len(sizes):
            parts.append(plot(scene, sizes) | {"fraud": np.full(sizes.sum(), typology + 1, dtype=np.uint8)})
    return rows.join(parts)


def _account_takeover(scene: Scene, sizes: Array) -> Rows:
    """Mostly at night, over another channel, from another place, large amounts to one or two new wallets."""
    rng, cases, total = scene.rng, len(sizes), int(sizes.sum())
    client = np.repeat(scene.victims(cases), sizes)
    night = rng.random(cases) < 0.7
    hour = np.where(night, rng.uniform(-2, 5, cases), rng.uniform(7, 20, cases))
    begin = np.repeat(scene.day(cases) + (hour * 3600).astype(np.int64), sizes)
    abroad, words = np.repeat(rng.random(cases) < 0.35, sizes), np.repeat(rng.integers(0, 1 << 30, cases), sizes)
    place = _other_place(scene, abroad, words, client)
    channel = np.repeat(rng.choice([CHANNEL["APP"], CHANNEL["USSD"], CHANNEL["WEB"]], cases), sizes)
    channel = np.where(channel == scene.clients.channel[client], CHANNEL["CARD"], channel)
    keys = np.repeat(scene.keys(cases), sizes) + rng.integers(0, 2, total)
    francs = 45_000 * np.exp(rng.normal(1.1, 0.75, total)) * scene.clients.amount_factor[client]
    service = _pick(rng, ("TRF-B2C", "TRF-B2C", "TRF-XB", "MER-QR"), total)
    how = {"service": service, "channel": channel, "place": place}
    return _rows(scene, client, begin + _steps(rng, sizes, 360), how, keys, francs)


def _split_deposits(scene: Scene, sizes: Array) -> Rows:
    """A large sum in deposits that each stay below the limit, within one day."""
    rng, cases, total = scene.rng, len(sizes), int(sizes.sum())
    client = np.repeat(scene.victims(cases), sizes)
    begin = np.repeat(scene.day(cases) + rng.integers(7 * 3600, 13 * 3600, cases), sizes)
    francs = amounts.DEPOSIT_LIMIT_FRANCS * (1 - np.repeat(rng.uniform(0.01, 0.25, cases), sizes) * rng.random(total))
    elsewhere = _other_place(scene, np.zeros(total, bool), rng.integers(0, 1 << 30, total), client)
    place = np.where(rng.random(total) < 0.6, scene.clients.place[client], elsewhere)
    how = {"service": _pick(rng, ("TRF-DEP",), total), "channel": np.full(total, CHANNEL["AGENT"]), "place": place}
    return _rows(scene, client, begin + _steps(rng, sizes, 1300), how, scene.keys(total), francs)


def _fan_in_mule(scene: Scene, sizes: Array) -> Rows:
    """Many clients of one country pay one wallet that nobody paid before, within three days."""
    rng, total = scene.rng, int(sizes.sum())
    leader = np.repeat(scene.victims(len(sizes)), sizes)
    client = _compatriots(scene, leader)
    hour = rng.normal(13, 3.2, total).clip(0, 23.9)
    moment = rng.integers(0, 3, total) * DAY_SECONDS + (hour * 3600).astype(np.int64)
    ts = np.repeat(scene.day(len(sizes)), sizes) + moment
    francs = 45_000 * np.exp(rng.normal(0.55, 0.7, total)) * scene.clients.amount_factor[client]
    keys = np.repeat(scene.keys(len(sizes)), sizes)
    usual = {"channel": scene.clients.channel[client], "place": scene.clients.place[client]}
    return _rows(scene, client, ts, usual | {"service": _pick(rng, ("TRF-B2C",), total)}, keys, francs)


def _beneficiary_burst(scene: Scene, sizes: Array) -> Rows:
    """One client pays many wallets for the first time within an hour."""
    rng, cases, total = scene.rng, len(sizes), int(sizes.sum())
    client = np.repeat(scene.victims(cases), sizes)
    begin = np.repeat(scene.day(cases) + (rng.uniform(6, 23, cases) * 3600).astype(np.int64), sizes)
    francs = 45_000 * np.exp(rng.normal(0.45, 0.65, total)) * scene.clients.amount_factor[client]
    own = np.repeat(rng.random(cases) < 0.5, sizes)
    channel = np.where(own, scene.clients.channel[client], CHANNEL["APP"])
    service = _pick(rng, ("TRF-B2C", "TRF-B2C", "TRF-B2C", "AIR-BULK"), total)
    francs = np.where(service == SERVICE["AIR-BULK"], francs / 6, francs)
    how = {"service": service, "channel": channel, "place": scene.clients.place[client]}
    return _rows(scene, client, begin + _steps(rng, sizes, 140), how, scene.keys(total), francs)


def _impossible_travel(scene: Scene, sizes: Array) -> Rows:
    """Payments from far places within minutes of each other."""
    rng, cases, total = scene.rng, len(sizes), int(sizes.sum())
    client = np.repeat(scene.victims(cases), sizes)
    begin = np.repeat(scene.day(cases) + (rng.uniform(6, 22, cases) * 3600).astype(np.int64), sizes)
    usual = scene.clients.place[client]
    far = foreign_place(usual, np.repeat(rng.integers(0, 1 << 30, cases), sizes))
    position = np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    channel = rng.choice([CHANNEL["APP"], CHANNEL["USSD"], CHANNEL["AGENT"]], total)
    francs = 45_000 * np.exp(rng.normal(0.3, 0.8, total)) * scene.clients.amount_factor[client]
    service = _pick(rng, ("TRF-B2C", "MER-QR", "MER-COL"), total)
    how = {"service": service, "channel": channel, "place": np.where(position % 2 == 0, far, usual)}
    return _rows(scene, client, begin + _steps(rng, sizes, 420), how, scene.keys(total), francs)


def _rows(scene: Scene, client: Array, local: Array, how: Rows, keys: Array, francs: Array) -> Rows:
    """`how` holds service, channel and place."""
    service = how["service"]
    country = scene.clients.country[client]
    ts = clip_to_month(scene.month, local - OFFSET_OF[country])
    amount = amounts.rounded(francs.astype(np.float32), service, country)
    prefix, number = beneficiaries.receivers(country, RECEIVER[service], keys)
    status, ms = outcomes(scene.month, service, how["channel"], ts, scene.rng)
    return rows.make(
        how
        | {
            "ts": ts,
            "client": client,
            "prefix": prefix,
            "number": number,
            "currency": CURRENCY_OF[country],
            "amount": amount,
            "commission": amounts.commission(amount, service),
            "status": status,
            "ms": ms,
            "updated": ts + (ms + 999) // 1000,
            "at": ts,
        }
    )


def _steps(rng: np.random.Generator, sizes: Array, mean_seconds: float) -> Array:
    """Seconds since the case began, growing within each case."""
    gaps: Array = np.cumsum(rng.exponential(mean_seconds, int(sizes.sum())) + 5).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    since: Array = gaps - np.repeat(gaps[starts], sizes)
    return since


def _pick(rng: np.random.Generator, services: tuple[str, ...], count: int) -> Array:
    return rng.choice(np.array([SERVICE[name] for name in services], dtype=np.uint8), count)


def _other_place(scene: Scene, abroad: Array, words: Array, client: Array) -> Array:
    country = scene.clients.country[client]
    city = FIRST_PLACE[country] + words % PLACES_IN[country]
    place: Array = np.where(abroad, foreign_place(scene.clients.place[client], words), city)
    return place


def _compatriots(scene: Scene, leader: Array) -> Array:
    """For each row a client of the leader's country, the more active the likelier."""
    country = scene.clients.country
    chosen = leader.copy()
    for code in np.unique(country[leader]):
        wanted = np.flatnonzero(country[leader] == code)
        weights = np.where(country == code, scene.weights, 0.0)
        chosen[wanted] = scene.rng.choice(len(country), len(wanted), p=weights / weights.sum())
    return chosen
