"""Who receives: phone numbers in E.164 and merchant codes, derived from numbers instead of remembered.

A beneficiary is a prefix (operator and area, or merchant) and six digits.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from sample.catalogue import ABROAD, BILLER, MERCHANT, NOBODY
from sample.dice import Array, Words, mix
from sample.places import COUNTRIES

_PREFIXES = [prefix for country in COUNTRIES for prefix in country.phone_prefixes]
PREFIX_COUNT = np.array([len(country.phone_prefixes) for country in COUNTRIES], dtype=np.uint16)
FIRST_PREFIX = (np.cumsum(PREFIX_COUNT) - PREFIX_COUNT).astype(np.uint16)
MERCHANT_PREFIX = len(_PREFIXES)
NO_BENEFICIARY = MERCHANT_PREFIX + 1
PREFIXES = pl.Series([*_PREFIXES, "MRC-", None], dtype=pl.String)
MERCHANTS_IN_COUNTRY, BILLERS_IN_COUNTRY = 150_000, 40
THOUSANDS = pl.Series([f"{number:03d}" for number in range(1000)])


def phones(country: Array, words: Words) -> tuple[Array, Array]:
    """Prefix and number of a phone of the country, the same for the same word."""
    turn = (words >> np.uint64(40)).astype(np.uint32).astype(np.uint16)
    prefix = FIRST_PREFIX[country] + turn % PREFIX_COUNT[country]
    return prefix, (words.astype(np.uint32) % np.uint32(1_000_000)).astype(np.uint32)


def receivers(country: Array, receiver: Array, keys: Array) -> tuple[Array, Array]:
    """Prefix and number of the receiver that each key stands for."""
    words = mix(keys)
    step = (words >> np.uint64(20)).astype(np.uint8) % np.uint8(len(COUNTRIES) - 1) + np.uint8(1)
    away = (country + np.where(receiver == ABROAD, step, np.uint8(0))) % np.uint8(len(COUNTRIES))
    prefix, number = phones(away, words)
    pool = np.where(receiver == BILLER, np.uint32(BILLERS_IN_COUNTRY), np.uint32(MERCHANTS_IN_COUNTRY))
    coded = (receiver == MERCHANT) | (receiver == BILLER)
    code = country * np.uint32(MERCHANTS_IN_COUNTRY) + number % pool
    prefix[coded] = MERCHANT_PREFIX
    number = np.where(coded, code, number)
    prefix[receiver == NOBODY] = NO_BENEFICIARY
    return prefix, number


def text(prefix: Array, number: Array) -> pl.Expr:
    thousands, rest = np.divmod(number, np.uint32(1000))
    return pl.concat_str(
        PREFIXES.gather(pl.Series(prefix.astype(np.uint32))),
        THOUSANDS.gather(pl.Series(thousands.astype(np.uint32))),
        THOUSANDS.gather(pl.Series(rest.astype(np.uint32))),
    )
