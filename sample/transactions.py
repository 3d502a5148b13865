"""A month of ordinary business."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample import amounts, beneficiaries, rows
from sample.calendar import BIN_SECONDS, DAY_SECONDS, Month, paydays, profiles
from sample.catalogue import (
    CHANNEL,
    CHANNEL_MIX,
    CHANNELS,
    EMPLOYEE,
    FAILED,
    PAYDAY,
    PENDING,
    REVERSED,
    SERVICE,
    SERVICE_MIX,
    SERVICES,
    SUCCESS,
)
from sample.clients import Clients, foreign_place
from sample.dice import Array, Bytes, Words, bits, mix, spin, wheels
from sample.places import COUNTRIES, CURRENCIES, FIRST_PLACE, NOWHERE, PLACES_IN
from sample.rows import Rows

USUAL_CHANNEL, USUAL_PLACE, ABROAD_SHARE = 0.86, 0.90, 0.006
NEW_BENEFICIARY = 0.055
CURRENCY_OF = np.array([CURRENCIES.index(country.currency) for country in COUNTRIES], dtype=np.uint8)
OFFSET_OF = np.array([country.utc_offset_hours * 3600 for country in COUNTRIES], dtype=np.int32)
RHYTHM = np.array([service.rhythm for service in SERVICES], dtype=np.uint8)
RECEIVER = np.array([service.receiver for service in SERVICES], dtype=np.uint8)
MEDIAN_MS = np.array([channel.median_ms for channel in CHANNELS], dtype=np.float32)
FAILURE = np.array([channel.failure for channel in CHANNELS], dtype=np.float32)


@dataclass(frozen=True)
class Tables:
    """The roulette wheels that do not depend on the month."""

    minutes: Bytes
    services: Bytes
    channels: Bytes


def draw_tables(minutes: Bytes) -> Tables:
    return Tables(minutes, wheels(np.array(SERVICE_MIX, float)), wheels(np.array(CHANNEL_MIX, float)))


@dataclass(frozen=True)
class Draft:
    """What is settled of each row before its place, moment and receiver are drawn."""

    month: Month
    clients: Clients
    tables: Tables
    client: Array
    turn: Array  # how many salaries the client paid before in the month
    country: Array
    service: Array
    channel: Array
    words: Words  # random bits; who uses which: service 0-11, channel 12-33, place 34-63
    more: Words  # moment 0-43, receiver 44-63


def draw_month(month: Month, clients: Clients, per_client: Array, tables: Tables, rng: np.random.Generator) -> Rows:
    """Rows of each client one after the other, `per_client` of them, without identifiers yet."""
    draft = _draft(month, clients, per_client, tables, rng)
    ts = _moments(draft)
    keys = _receiver_keys(draft)
    prefix, number = beneficiaries.receivers(draft.country, RECEIVER[draft.service], keys)
    amount = amounts.draw(draft.service, draft.country, clients.amount_factor[draft.client], keys, rng)
    status, ms = outcomes(month, draft.service, draft.channel, ts, rng)
    return rows.make(
        {
            "ts": ts,
            "client": draft.client,
            "service": draft.service,
            "channel": draft.channel,
            "place": _places(draft),
            "prefix": prefix,
            "number": number,
            "currency": CURRENCY_OF[draft.country],
            "amount": amount,
            "commission": amounts.commission(amount, draft.service),
            "status": status,
            "ms": ms,
            "updated": ts + (ms + 999) // 1000,
            "at": ts,
        }
    )


def outcomes(month: Month, service: Array, channel: Array, ts: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Status and processing time; once a month one channel is down for two hours of a working day."""
    broken = int(rng.integers(0, len(CHANNELS)))
    hour = int(rng.integers(8, 17)) * 3600
    outage = month.start + int(rng.integers(0, month.days)) * DAY_SECONDS + hour
    down = (channel == broken) & (ts >= outage) & (ts < outage + 7200)
    chance = rng.random(len(ts), dtype=np.float32)
    failure = np.where(down, np.float32(0.45), FAILURE[channel])
    status = np.full(len(ts), SUCCESS, dtype=np.uint8)
    status[chance < failure] = FAILED
    status[chance > 1 - 0.004] = REVERSED
    status[chance > 1 - 0.0015] = PENDING
    spread = np.exp(rng.standard_normal(len(ts), dtype=np.float32) * np.float32(0.55))
    ms = MEDIAN_MS[channel] * spread * np.where(status == FAILED, np.float32(3.2), np.float32(1))
    return status, (np.minimum(ms, 600_000) + 20).astype(np.int32)


def clip_to_month(month: Month, ts: Array) -> Array:
    """A local day near the turn of the month can lie in the neighbour month of the business calendar."""
    ts = np.where(ts < month.start, ts + DAY_SECONDS, ts)
    return np.where(ts >= month.end, ts - DAY_SECONDS, ts)


def _draft(month: Month, clients: Clients, per_client: Array, tables: Tables, rng: np.random.Generator) -> Draft:
    client = np.repeat(np.arange(len(clients), dtype=np.int32), per_client)
    words = rng.integers(0, 2**64, len(client), dtype=np.uint64)
    service = spin(tables.services, clients.mix[client], bits(words, 0, 12))
    other = spin(tables.channels, clients.size[client], bits(words, 12, 12))
    return Draft(
        month,
        clients,
        tables,
        client,
        _turns(service, per_client),
        clients.country[client],
        service,
        np.where(bits(words, 24, 10) < USUAL_CHANNEL * 1024, clients.channel[client], other),
        words,
        mix(words),
    )


def _turns(service: Array, per_client: Array) -> Array:
    """So that from month to month a company pays the same people."""
    before = np.zeros(len(service) + 1, dtype=np.int32)
    np.cumsum(service == SERVICE["SAL-BULK"], out=before[1:])
    own_first = np.repeat(before[np.cumsum(per_client) - per_client], per_client)
    turns: Array = before[:-1] - own_first
    return turns


def _places(draft: Draft) -> Array:
    """Mostly the usual place, sometimes another city of the country, rarely abroad; machines often say nothing."""
    usual = draft.clients.place[draft.client]
    chance = bits(draft.words, 34, 12)
    skew = bits(draft.words, 46, 10)
    city = FIRST_PLACE[draft.country] + ((skew * skew * PLACES_IN[draft.country]) >> 20)
    place = np.where(chance < USUAL_PLACE * 4096, usual, city.astype(np.uint8))
    abroad = np.flatnonzero(chance >= (1 - ABROAD_SHARE) * 4096)
    place[abroad] = foreign_place(usual[abroad], draft.words[abroad] >> np.uint64(46))
    remote = (draft.channel == CHANNEL["API"]) | (draft.channel == CHANNEL["WEB"])
    place[remote & (bits(draft.words, 56, 8) < 18)] = NOWHERE
    return place


def _moments(draft: Draft) -> Array:
    month, more = draft.month, draft.more
    which = draft.clients.place[draft.client].astype(np.int32) * 3 + RHYTHM[draft.service]
    day = spin(month.day_wheels, which, bits(more, 0, 12))
    profile = profiles(month, draft.country, day, draft.channel == CHANNEL["API"])
    moment = spin(draft.tables.minutes, profile, bits(more, 12, 12)).astype(np.int32) * BIN_SECONDS
    moment += (bits(more, 24, 16) % BIN_SECONDS).astype(np.int32)
    batch = np.flatnonzero((RHYTHM[draft.service] == PAYDAY) & (bits(more, 40, 4) > 1))
    payer = draft.client[batch]
    day[batch] = paydays(month, len(draft.clients))[payer]
    moment[batch] = _batch_moments(payer, draft.turn[batch])
    ts = month.start + day.astype(np.int32) * np.int64(DAY_SECONDS) + moment - OFFSET_OF[draft.country]
    return clip_to_month(month, ts)


def _batch_moments(payer: Array, turn: Array) -> Array:
    """Salaries go out as one batch: the same hour every month, some tenths of a second to seconds apart."""
    word = mix(payer.astype(np.int64) + 9_000_000)
    begin = 8 * 3600 + (word % np.uint64(9 * 3600)).astype(np.int32)
    pace = 1 + ((word >> np.uint64(32)) % np.uint64(4)).astype(np.int32)
    return begin + (turn * pace // 2) % 10_000


def _receiver_keys(draft: Draft) -> Array:
    """A number for each client's relation to a receiver; a new receiver has a number never used before."""
    receiver = RECEIVER[draft.service]
    skew = bits(draft.more, 44, 10).astype(np.float32) / np.float32(1024)
    preferred = (skew * skew * draft.clients.usual[draft.client]).astype(np.int32)
    kind = np.where(receiver == EMPLOYEE, 0, receiver.astype(np.int32) + 1)
    slot = np.where(draft.service == SERVICE["SAL-BULK"], draft.turn, preferred + kind * 1_000_000)
    keys = draft.client.astype(np.int64) * 16_000_000 + slot
    chance = bits(draft.more, 54, 10)
    new = np.flatnonzero((chance < NEW_BENEFICIARY * 1024) & (draft.service != SERVICE["SAL-BULK"]))
    keys[new] = (1 << 50) + draft.month.start * 4_000_000 + new
    return keys
