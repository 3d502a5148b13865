"""The companies: who they are, how active they are and how they behave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sample.catalogue import CHANNEL_MIX
from sample.dice import Array, Floats, mix, spin, wheels
from sample.places import FIRST_PLACE, PLACE_COUNTRY, place_weights
from sample.plan import SamplePlan, random_stream

SIZES = ("MICRO", "SMALL", "MEDIUM", "LARGE")
SIZE_SHARES = (55, 28, 12, 5)
SEGMENTS = ("BASIC", "STANDARD", "PREMIUM", "STRATEGIC")
RISKS = ("LOW", "MEDIUM", "HIGH")
ZIPF_EXPONENT, ZIPF_SHIFT = 0.95, 12  # the shift keeps the busiest client near one percent of all rows
NEWCOMERS, LEAVERS = 0.2, 0.22
SIZE_AMOUNT = np.array([0.45, 0.9, 1.8, 3.6])


@dataclass(frozen=True)
class Clients:
    """One entry a client in every array; a client's number is its position."""

    country: Array
    place: Array  # usual place
    size: Array
    segment: Array
    risk: Array
    mix: Array  # row of SERVICE_MIX
    channel: Array  # usual channel
    activity: Floats  # relative number of transactions
    trend: Floats  # monthly growth of its activity
    amount_factor: Array
    usual: Array  # number of usual beneficiaries
    onboarded_day: Array  # from the start of the period; negative: before it
    first_month: Array
    last_month: Array

    def __len__(self) -> int:
        return len(self.country)


def draw_clients(plan: SamplePlan) -> Clients:
    rng = random_stream(plan, 1)
    count = plan.client_count
    place = np.searchsorted(np.cumsum(place_weights()), rng.random(count) * place_weights().sum()).astype(np.uint8)
    size = _draw(rng, SIZE_SHARES, count)
    kind = _draw(rng, (30, 38, 32), count)
    onboarded, first = _arrivals(plan, rng, count)
    activity = _activity(rng, size)
    return Clients(
        country=PLACE_COUNTRY[place],
        place=place,
        size=size,
        segment=np.clip(size + rng.integers(-1, 2, count), 0, 3).astype(np.uint8),
        risk=_draw(rng, (70, 23, 7), count),
        mix=kind,
        channel=spin(wheels(np.array(CHANNEL_MIX, dtype=np.float64)), size, rng.integers(0, 4096, count)),
        activity=activity,
        trend=rng.normal(0.0, 0.035, count),
        amount_factor=(SIZE_AMOUNT[size] * np.exp(rng.normal(0, 0.35, count))).astype(np.float32),
        usual=np.clip(4 * np.sqrt(activity / activity.mean()) * rng.uniform(2, 6, count), 3, 400).astype(np.int32),
        onboarded_day=onboarded,
        first_month=first,
        last_month=_departures(plan, rng, first),
    )


def month_weights(clients: Clients, index: int, rng: np.random.Generator) -> Floats:
    """How much of a month's business each client does."""
    present = (clients.first_month <= index) & (index <= clients.last_month)
    if not present.any():
        present = clients.first_month <= max(index, int(clients.first_month.min()))
    noise = np.exp(rng.normal(0, 0.30, len(clients)))
    return np.where(present, clients.activity * np.exp(clients.trend * index) * noise, 0.0)


def foreign_place(place: Array, words: Array) -> Array:
    """The main city of another country."""
    step = 1 + words.astype(np.int64) % (len(FIRST_PLACE) - 1)
    away: Array = FIRST_PLACE[(PLACE_COUNTRY[place] + step) % len(FIRST_PLACE)].astype(np.uint8)
    return away


def _draw(rng: np.random.Generator, shares: tuple[int, ...], count: int) -> Array:
    edges = np.cumsum(shares) / sum(shares)
    return np.searchsorted(edges, rng.random(count), side="right").astype(np.uint8)


def _activity(rng: np.random.Generator, size: Array) -> Floats:
    """Zipf's law over ranks in which larger companies tend to come first."""
    order = np.argsort(-(size * 1.1 + rng.normal(0, 1.3, len(size))), kind="stable")
    rank = np.empty(len(size))
    rank[order] = np.arange(len(size))
    return 1.0 / (rank + ZIPF_SHIFT) ** ZIPF_EXPONENT


def _arrivals(plan: SamplePlan, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    days = plan.months * 30
    before = -rng.integers(1, 8 * 365, count)
    during = rng.integers(1, max(int(days * 0.85), 2), count)
    onboarded = np.where(rng.random(count) < NEWCOMERS, during, before)
    # A newcomer's first payment falls in the month after it signed: no transaction precedes its client.
    return onboarded, np.where(onboarded < 0, 0, onboarded // 28 + 1)


def _departures(plan: SamplePlan, rng: np.random.Generator, first: Array) -> Array:
    last = first + rng.integers(0, plan.months + 1, len(first))
    return np.where(rng.random(len(first)) < LEAVERS, last, plan.months)


COMPANY_KINDS = (
    "Société;Établissements;Groupe;Coopérative;Compagnie;Ateliers;Comptoir;Pharmacie;Transports;Boulangerie;Clinique;"
    "Quincaillerie;Hôtel;École"
)
NAMES = (
    "Koné;Traoré;N'Guessan;Kouassi;Diabaté;Sow;Diop;Ndiaye;Gueye;Bâ;Camara;Condé;Barry;Mensah;Owusu;Boateng;Asante;"
    "Wanjiru;Otieno;Kamau;Mwangi;Achieng;El Amrani;Benjelloun;Alaoui;Tazi;Yéo;Zadi;Brou;Aké;Sangaré;Fofana;Cissé;Touré"
)
ENDINGS = ";et Fils;et Frères;Négoce;Énergie;Distribution;Agro;Bâtiment;Santé;Logistique;International;Services"
SECTORS = (
    "AGRICULTURE",
    "RETAIL",
    "CONSTRUCTION",
    "TRANSPORT",
    "HEALTH",
    "EDUCATION",
    "MANUFACTURING",
    "PUBLIC",
    "NGO",
    "HOSPITALITY",
)


def client_ids(count: int) -> pl.Series:
    return pl.select(pl.lit("CLI-") + pl.int_range(1, count + 1).cast(pl.String).str.zfill(6)).to_series()


def company_names(count: int) -> pl.Series:
    """The same client number always has the same name."""
    words = mix(np.arange(count) + 77)
    parts = []
    for shift, text in ((0, COMPANY_KINDS), (16, NAMES), (32, ENDINGS)):
        choices = pl.Series(text.split(";"))
        picked = ((words >> np.uint64(shift)) & np.uint64(0xFFFF)) % np.uint64(len(choices))
        parts.append(choices.gather(pl.Series(picked.astype(np.uint32))))
    return pl.select(pl.concat_str(parts, separator=" ").str.strip_chars()).to_series()
