"""Scores: fifths of the clients, and equal scores for equal values."""

from fractions import Fraction
from itertools import product
from math import floor

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ml.rfm.quintiles import SCORES, fit_cuts, quintile_segment
from tests.segments import values

FEW_VALUES = st.lists(st.integers(1, 6), min_size=1, max_size=60)


def f_scores(frequencies: list[int]) -> list[int]:
    clients = values(frequency=frequencies).clients
    return fit_cuts(clients).apply(clients)["f_score"].to_list()


def by_the_rule(frequencies: list[int]) -> list[int]:
    """The fifth that holds the mean rank of all who have the value."""
    count = len(frequencies)
    scores = []
    for value in frequencies:
        below, equal = sum(one < value for one in frequencies), frequencies.count(value)
        scores.append(1 + floor(Fraction(5, count) * (below + Fraction(equal, 2))))
    return scores


@given(FEW_VALUES)
def test_scores_follow_the_rule(frequencies: list[int]) -> None:
    assert f_scores(frequencies) == by_the_rule(frequencies)


@given(FEW_VALUES)
def test_more_is_never_less(frequencies: list[int]) -> None:
    scored = sorted(zip(frequencies, f_scores(frequencies), strict=True))
    assert [score for _, score in scored] == sorted(score for _, score in scored)


def test_ten_different_clients_are_two_a_fifth() -> None:
    assert f_scores(list(range(1, 11))) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_many_who_came_once_share_the_fifth_of_their_mean_rank() -> None:
    # 70 of 100 came once: their mean rank is 35.5, in the second fifth; nobody gets the first.
    assert f_scores([1] * 70 + list(range(2, 32))) == [2] * 70 + [4] * 10 + [5] * 20


def test_all_equal_are_in_the_middle() -> None:
    assert all(f_scores([4] * count) == [3] * count for count in (1, 2, 3, 7))


def test_recent_is_good_and_absent_is_one() -> None:
    found = values(recency=[1, 20, 100, 200, 300, 500], frequency=[1, 1, 1, 1, 1, 0], monetary_minor=[5, 4, 3, 2, 1, 0])
    cuts = fit_cuts(found.clients.filter(pl.col("frequency") > 0))
    scores = cuts.apply(found.clients)
    assert scores["r_score"].to_list() == [5, 4, 3, 2, 1, 1]
    assert scores["m_score"].to_list() == [5, 4, 3, 2, 1, 1]
    assert scores.columns == list(SCORES)


def test_values_between_those_of_the_fit_get_the_lower_score() -> None:
    cuts = fit_cuts(values(frequency=[10, 20, 30, 40, 50]).clients)
    later = values(frequency=[1, 10, 19, 20, 1_000]).clients
    assert cuts.apply(later)["f_score"].to_list() == [1, 1, 1, 2, 5]


def test_the_rule_names_every_combination() -> None:
    cells = pl.DataFrame(
        list(product(range(1, 6), repeat=3)), schema=dict.fromkeys(SCORES, pl.Int16), orient="row"
    ).with_columns(frequency=pl.lit(1))
    named = cells.with_columns(quintile_segment())
    assert set(named["quintile_segment"]) == {1, 2, 3, 4, 5}
    told = {row[:3]: row[4] for row in named.iter_rows()}
    assert [told[cell] for cell in ((5, 5, 5), (4, 4, 4), (3, 5, 5), (5, 2, 3))] == [1, 1, 2, 2]
    assert [told[cell] for cell in ((2, 3, 3), (1, 5, 5), (2, 2, 3), (5, 1, 1), (1, 2, 3))] == [3, 3, 4, 4, 5]


def test_who_is_absent_is_lost_by_the_rule() -> None:
    absent = pl.DataFrame({"frequency": [0], "r_score": [5], "f_score": [5], "m_score": [5]})
    assert absent.select(quintile_segment()).item() == 5
