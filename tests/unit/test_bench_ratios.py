"""The arithmetic of comparisons."""

import argparse

import pytest

from bench.compare import step_ratios
from bench.measure import step_medians
from bench.ratios import Spread, alternating, rates, ratios, shares, spread
from bench.scale import Model, Shape, fit
from bench.sizes import rows_of, spoken


def test_a_spread_has_the_middle_and_both_ends() -> None:
    assert spread([3, 1, 2]) == Spread(2, 1, 3)
    assert f"{spread([1, 2]):.2f}" == "1.50 (1.00 to 2.00)"
    with pytest.raises(ValueError, match="nothing was measured"):
        spread([])


def test_ratios_compare_each_round_with_itself() -> None:
    # The machine was four times slower in the second round, for both.
    assert ratios([1, 4], [2, 8]) == Spread(2, 2, 2)
    with pytest.raises(ValueError, match="shorter"):
        ratios([1, 2], [1])


def test_rates_are_rows_by_seconds() -> None:
    assert rates(100, [1, 2, 4]) == Spread(50, 25, 100)


def test_shares_add_up_to_one_or_are_nothing() -> None:
    assert shares({"a": 1, "b": 3}) == {"a": 0.25, "b": 0.75}
    assert shares({"a": 0.0}) == {"a": 0.0}
    assert shares({}) == {}


def test_every_other_round_goes_backwards() -> None:
    assert [alternating(["a", "b"], number) for number in range(3)] == [["a", "b"], ["b", "a"], ["a", "b"]]


@pytest.mark.parametrize(
    ("text", "rows"), [("300k", 300_000), ("3m", 3_000_000), ("36M", 36_000_000), ("12_345", 12_345)]
)
def test_rows_are_read_as_people_write_them(text: str, rows: int) -> None:
    assert rows_of(text) == rows
    assert rows_of(spoken(rows)) == rows


def test_sizes_are_spoken_short() -> None:
    assert [spoken(rows) for rows in (300_000, 36_000_000, 2_500_000, 12_345)] == ["300k", "36m", "2.5m", "12345"]


@pytest.mark.parametrize("text", ["", "many", "0", "-3m", "k", "1e"])
def test_what_is_no_number_of_rows_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no number of rows: write 300k"):
        rows_of(text)


def told(*seconds: float) -> dict[str, object]:
    names = ("Discover", "Read")
    return {"steps": [{"step": n + 1, "name": names[n], "seconds": one} for n, one in enumerate(seconds)]}


def test_steps_are_compared_unless_they_are_too_short() -> None:
    assert step_ratios([told(0.001, 1), told(0.001, 2)], [told(0.004, 2), told(0.004, 2)]) == {
        "2 Read": Spread(1.5, 1, 2)
    }


def test_a_step_that_one_tree_lacks_is_left_out() -> None:
    assert step_ratios([told(1)], [told(1, 2)]) == {"1 Discover": Spread(1, 1, 1)}


def test_steps_have_their_median() -> None:
    assert step_medians([told(1, 5), told(3, 5), told(2)]) == {"1 Discover": 2, "2 Read": 5}
    assert step_medians([{}]) == {}


def test_a_cost_model_finds_the_parts_it_was_made_of() -> None:
    true = Model(fixed=2.0, row=1e-6, leaf=0.02, client=1e-5)
    shapes = [(100_000, 24, 400), (1_000_000, 24, 400), (1_000_000, 6, 400), (1_000_000, 60, 4_000)]
    measured = [Shape(*shape, seconds=true.seconds(Shape(*shape))) for shape in shapes]
    found = fit(measured)
    assert (found.fixed, found.row, found.leaf, found.client) == pytest.approx((2.0, 1e-6, 0.02, 1e-5))
    assert found.error == pytest.approx(0)


def test_no_part_of_a_cost_model_is_below_zero() -> None:
    # More clients took less time: noise, which must not make a load of many clients cost nothing.
    true = Model(fixed=2.0, row=1e-6, leaf=0.02, client=-1e-5)
    shapes = [(100_000, 24, 400), (1_000_000, 24, 400), (1_000_000, 6, 400), (1_000_000, 60, 4_000)]
    measured = [Shape(*shape, seconds=true.seconds(Shape(*shape))) for shape in shapes]
    found = fit(measured)
    assert found.client == 0
    assert min(found.fixed, found.row, found.leaf) > 0
    with pytest.raises(ValueError, match="3 shapes were measured"):
        fit(measured[:3])
