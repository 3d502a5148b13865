"""How much: log-normal amounts in minor units, rounded the way people type them, and the commission on them."""

from __future__ import annotations

import numpy as np

from sample.catalogue import SERVICE, SERVICES
from sample.dice import Array, mix
from sample.places import COUNTRIES

RATE_BP = np.array([service.rate_bp for service in SERVICES], dtype=np.int64)
SPREAD = np.array([service.spread for service in SERVICES], dtype=np.float32)
MEDIAN_FRANCS = np.array([service.median_francs for service in SERVICES], dtype=np.float32)
MINOR_PER_FRANC = np.array([c.units_per_franc * 10**c.exponent for c in COUNTRIES], dtype=np.float32)
# A day's limit of an agent deposit, a million francs' worth.
DEPOSIT_LIMIT_FRANCS = 1_000_000
LARGEST_MINOR = 10**13
_SALARY_BELL_BITS = 12


def _steps() -> Array:
    """Rounding step in minor units for each service and country: 1, 5, 10, 25, 50, 100, ..."""
    nice = np.array([1, 5, 10, 25, 50, 100, 500, 1_000, 5_000, 10_000], dtype=np.float32)
    table = np.zeros((len(SERVICES), len(COUNTRIES)), dtype=np.float32)
    for index, service in enumerate(SERVICES):
        for place, per_franc in enumerate(MINOR_PER_FRANC):
            table[index, place] = nice[np.argmin(np.abs(np.log(nice / max(service.step_francs * per_franc, 1))))]
    return table


STEP = _steps()


def draw(service: Array, country: Array, factor: Array, keys: Array, rng: np.random.Generator) -> Array:
    """Amounts in minor units; an employee's salary is the same every month."""
    bell = rng.standard_normal(len(service), dtype=np.float32)
    salary = np.flatnonzero(service == SERVICE["SAL-BULK"])
    bell[salary] = _salary_bell(keys[salary])
    francs = MEDIAN_FRANCS[service] * np.exp(bell * SPREAD[service])
    company = np.where(service == SERVICE["SAL-BULK"], np.sqrt(factor), factor)
    francs *= company
    deposit = service == SERVICE["TRF-DEP"]
    francs[deposit] = np.minimum(francs[deposit], DEPOSIT_LIMIT_FRANCS)
    return rounded(francs, service, country)


def rounded(francs: Array, service: Array, country: Array) -> Array:
    step = STEP.ravel()[service.astype(np.int32) * len(COUNTRIES) + country]
    steps = np.maximum(np.rint(francs * MINOR_PER_FRANC[country] / step), 1)
    return np.minimum(steps.astype(np.int64) * step.astype(np.int64), LARGEST_MINOR)


def commission(amount: Array, service: Array) -> Array:
    """Half up, in minor units."""
    return (amount * RATE_BP[service] + 5_000) // 10_000


def _salary_bell(keys: Array) -> Array:
    """A normal deviate that belongs to the key: the sum of four uniform ones."""
    words = mix(keys + 5)
    mask = np.uint64((1 << _SALARY_BELL_BITS) - 1)
    parts = [(words >> np.uint64(shift)) & mask for shift in (0, 12, 24, 36)]
    total = (parts[0] + parts[1] + parts[2] + parts[3]).astype(np.float32)
    # Four uniform deviates have mean 2 and standard deviation sqrt(1/3).
    bell: Array = (total / np.float32(1 << _SALARY_BELL_BITS) - np.float32(2)) / np.float32(0.57735)
    return bell
