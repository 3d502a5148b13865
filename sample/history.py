"""clients.csv: every company with the moments at which its segment, size or risk changed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from sample import beneficiaries
from sample.calendar import DAY_SECONDS, epoch
from sample.clients import (
    RISKS,
    SECTORS,
    SEGMENTS,
    SIZES,
    Clients,
    client_ids,
    company_names,
)
from sample.dice import Array, mix
from sample.places import COUNTRIES, PLACES
from sample.plan import SamplePlan, month_starts, random_stream

CHANGING_SHARE = 0.22
MOST_CHANGES = 4
_LADDERS = {"customer_segment": SEGMENTS, "company_size": SIZES, "risk_level": RISKS}


def client_changes(plan: SamplePlan, clients: Clients) -> pl.DataFrame:
    """One row for each client and moment of change, the first on the day it was onboarded, in order of time."""
    known = _identities(plan, clients)
    number, levels, moment = _versions(plan, clients)
    changes = pl.DataFrame(
        {"number": number}
        | {name: pl.Series(ladder).gather(pl.Series(levels[name])) for name, ladder in _LADDERS.items()}
        | {"effective_at": pl.Series(moment * 1_000_000).cast(pl.Datetime("us"))}
    )
    order = "client_id company_name msisdn email customer_segment company_size risk_level sector country_code city"
    columns = [*order.split(), "kyc_level", "onboarded_on", "effective_at"]
    return changes.sort("effective_at", "number").join(known, on="number", maintain_order="left").select(columns)


def _identities(plan: SamplePlan, clients: Clients) -> pl.DataFrame:
    count = len(clients)
    words = mix(np.arange(count) + 4_000_000)
    ids = client_ids(count)
    prefix, number = beneficiaries.phones(clients.country, words)
    slug = ids.str.to_lowercase().str.replace("-", "", literal=True)
    sector = (words >> np.uint64(8)) % np.uint64(len(SECTORS))
    start = pl.lit(plan.start)
    return pl.select(
        pl.Series("number", np.arange(count)),
        ids.alias("client_id"),
        company_names(count).alias("company_name"),
        beneficiaries.text(prefix, number).alias("msisdn"),
        pl.concat_str(pl.lit("compta."), slug, pl.lit("@example.com")).alias("email"),
        pl.Series("sector", SECTORS).gather(pl.Series(sector.astype(np.uint32))),
        _codes("country_code", [country.code for country in COUNTRIES], clients.country),
        _codes("city", [place.city for place in PLACES], clients.place),
        pl.Series("kyc_level", np.minimum(clients.size + 1, 3).astype(np.int8)),
        (start + pl.Series(clients.onboarded_day.astype(np.int64)) * timedelta(days=1)).alias("onboarded_on"),
    )


def _versions(plan: SamplePlan, clients: Clients) -> tuple[Array, dict[str, Array], Array]:
    """Client number, levels and moment of every version."""
    rng = random_stream(plan, 4)
    count = len(clients)
    begin = epoch(plan.start) + clients.onboarded_day.astype(np.int64) * DAY_SECONDS
    end = epoch(month_starts(plan)[-1])
    changing = np.flatnonzero((rng.random(count) < CHANGING_SHARE) & (begin < end - 30 * DAY_SECONDS))
    changes = rng.integers(1, MOST_CHANGES + 1, len(changing))
    numbers, moments = [np.arange(count)], [begin]
    levels = [[clients.segment, clients.size, clients.risk]]
    now = [levels[0][0].copy(), levels[0][1].copy(), levels[0][2].copy()]
    earliest = np.maximum(begin, epoch(plan.start))
    for turn in range(MOST_CHANGES):
        who = changing[changes > turn]
        width = (end - earliest[who]) // MOST_CHANGES
        moment = earliest[who] + turn * width + (rng.uniform(0.05, 0.95, len(who)) * width).astype(np.int64)
        what = rng.choice(3, len(who), p=(0.5, 0.2, 0.3))
        for ladder, steps in enumerate(_LADDERS.values()):
            moved = who[what == ladder]
            now[ladder][moved] = _step(now[ladder][moved], len(steps), rng)
        numbers.append(who)
        moments.append(moment)
        levels.append([level[who] for level in now])
    stacked = {name: np.concatenate([each[i] for each in levels]) for i, name in enumerate(_LADDERS)}
    return np.concatenate(numbers), stacked, np.concatenate(moments)


def _step(level: Array, steps: int, rng: np.random.Generator) -> Array:
    """One step up or down the ladder; from its ends there is one way only."""
    up = rng.random(len(level)) < 0.6
    up = np.where(level == 0, True, np.where(level == steps - 1, False, up))
    return np.where(up, level + 1, level - 1).astype(np.uint8)


def _codes(name: str, choices: list[str], index: Array) -> pl.Series:
    return pl.Series(name, choices).gather(pl.Series(index.astype(np.uint32)))
