"""Lifetime models: against published figures, against themselves, and where they have nothing to say."""

import numpy as np
import polars as pl
import pytest
from scipy.special import hyp2f1

from ml.rfm.lifetime import FEWEST_CLIENTS, Lifetime, fit_lifetime
from tests.segments import business, values

# Parameters that Fader, Hardie and Lee give for the buyers of CDNOW, in weeks and dollars.
CDNOW = Lifetime(r=0.243, alpha=4.414, a=0.793, b=2.426, p=6.25, q=3.74, gamma=15.44)


def client(x: int, last: float, age: float, total: int = 0) -> pl.DataFrame:
    """A client by repeated purchases, week of the last one and weeks since the first."""
    days = round(age * 7)
    return values(recency=[days - round(last * 7)], age=[days], active_days=[x + 1], revenue_minor=[total]).clients


def test_the_published_example() -> None:
    # Two purchases, the last in week 30.43 of 38.86: 1.226 in the next 39 weeks ("BG/NBD in Excel").
    assert CDNOW.active_days(client(2, 30.43, 38.86), 39 * 7)[0] == pytest.approx(1.226, abs=1e-3)


@pytest.mark.parametrize(("x", "last", "age"), [(0, 0, 30), (1, 5, 40), (7, 20, 50), (60, 51, 52)])
def test_the_transformed_formula_is_the_published_one(x: int, last: int, age: int) -> None:
    r, alpha, a, b = CDNOW.r, CDNOW.alpha, CDNOW.a, CDNOW.b
    ahead = 26.0
    grown = hyp2f1(r + x, b + x, a + b + x - 1, ahead / (alpha + age + ahead))
    shrunk = ((alpha + age) / (alpha + age + ahead)) ** (r + x)
    odds = a / (b + x - 1) * ((alpha + age) / (alpha + last)) ** (r + x) if x else 0.0
    expected = (a + b + x - 1) / (a - 1) * (1 - shrunk * grown) / (1 + odds)
    assert CDNOW.active_days(client(x, last, age), 26 * 7)[0] == pytest.approx(expected, rel=1e-9)


def test_a_client_of_every_day_does_not_overflow() -> None:
    daily = client(3_600, 519, 520)
    assert np.isfinite(CDNOW.active_days(daily, 182)[0])
    assert 0 <= CDNOW.alive(client(3_600, 100, 520))[0] < 1e-6
    assert CDNOW.alive(daily)[0] > 0.5


def test_who_was_seen_lately_is_more_likely_alive() -> None:
    alive = [CDNOW.alive(client(10, last, 52))[0] for last in (10, 30, 45, 51)]
    assert alive == sorted(alive)
    assert alive[0] < 0.01
    assert alive[-1] > 0.9


def test_of_one_day_the_model_says_nothing() -> None:
    assert np.isnan(CDNOW.alive(client(0, 0, 52))[0])


def test_value_lies_between_the_own_mean_and_that_of_all() -> None:
    # All: p gamma / (q - 1) = 35.22. One purchase of 100 draws a little, fifty draw nearly all the way.
    everyone = 6.25 * 15.44 / 2.74
    for days, share in ((1, 0.70), (50, 0.99)):
        one = client(days - 1, 50, 52, total=100 * days)
        revenue = CDNOW.revenue(one, 182, 0)
        assert revenue is not None
        value = revenue[0] / CDNOW.active_days(one, 182)[0]
        assert value == pytest.approx(share * 100 + (1 - share) * everyone, rel=0.02)


def test_parameters_are_found_again() -> None:
    dice, count = np.random.default_rng(5), 3_000
    true = Lifetime(r=0.8, alpha=2.0, a=0.6, b=4.0)
    age = dice.uniform(50, 104, count)
    rate, ends = dice.gamma(true.r, 1 / true.alpha, count), dice.beta(true.a, true.b, count)
    bought, last = np.zeros(count), np.zeros(count)
    for place in range(count):
        at = dice.exponential(1 / rate[place])
        while at < age[place]:
            bought[place], last[place] = bought[place] + 1, at
            if dice.random() < ends[place]:
                break
            at += dice.exponential(1 / rate[place])
    days = np.round(age * 7).astype(int)
    found = fit_lifetime(
        values(
            recency=days - np.round(last * 7).astype(int),
            age=days,
            active_days=bought.astype(int) + 1,
            revenue_minor=np.zeros(count, dtype=np.int64),
        ).clients,
        0,
    )
    assert found is not None
    assert [found.r, found.alpha] == pytest.approx([true.r, true.alpha], rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(true.a / (true.a + true.b), rel=0.15)
    assert (found.p, found.revenue(client(1, 5, 40), 182, 0)) == (None, None)


def test_a_business_is_fitted_the_same_twice() -> None:
    clients = business().clients
    found = fit_lifetime(clients, 0)
    assert found is not None
    assert found == fit_lifetime(clients, 0)
    revenue = found.revenue(clients, 365, 0)
    assert revenue is not None
    assert np.isfinite(revenue).all()
    assert (revenue >= 0).all()


def test_a_handful_of_clients_has_no_lifetime_model() -> None:
    assert fit_lifetime(business().clients.head(FEWEST_CLIENTS - 1), 0) is None
