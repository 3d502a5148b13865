"""A model: the same of the same clients, firm when a few are missing, and nothing that was changed is read."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from ml.rfm.model import Model, fit_model, model_from
from ml.rfm.stability import bootstrap_ari, quality
from ml.rfm.values import Values, is_active
from tests.segments import AS_OF, RATES, business, values
from warehouse.errors import DataRefusedError, TargetError


@cache
def fitted() -> tuple[Values, Model]:
    found = business()
    return found, fit_model(found, RATES)


def with_clients(found: Values, clients: pl.DataFrame) -> Values:
    return Values(found.window, clients.sort("client_ref"), found.exponent)


def test_twice_is_the_same_to_the_bit() -> None:
    found, model = fitted()
    again = business()
    shuffled = with_clients(again, again.clients.sample(fraction=1.0, shuffle=True, seed=3))
    second = fit_model(shuffled, RATES)
    assert second.document == model.document
    assert second.version == model.version
    assert second.segmented(shuffled.clients).equals(model.segmented(found.clients))


def test_surrogate_keys_are_not_part_of_it() -> None:
    found, model = fitted()
    other = with_clients(found, found.clients.with_columns(client=pl.col("client").reverse()))
    assert fit_model(other, RATES).version == model.version


@pytest.mark.parametrize("seed", range(5))
def test_without_one_in_a_hundred_the_others_stay(seed: int) -> None:
    found, model = fitted()
    stays = np.random.default_rng(seed).random(found.clients.height) >= 0.01
    fewer = with_clients(found, found.clients.filter(stays))
    assert 0 < found.clients.height - fewer.clients.height < 30
    kept = model.segments(found.clients).filter(stays) == fit_model(fewer, RATES).segments(fewer.clients)
    assert kept.sum() >= 0.97 * len(kept)


def test_segments_of_a_business_mean_something() -> None:
    found, model = fitted()
    told = model.segmented(found.clients)
    medians = told.filter(is_active).group_by("segment").agg(pl.median("recency", "frequency", "monetary_minor"))
    at = {row[0]: row[1:] for row in medians.iter_rows()}
    assert set(at) == {1, 2, 3, 4, 5}
    assert at[1][0] <= at[2][0] < at[3][0] < at[5][0]
    assert at[1][2] == max(value for _, _, value in at.values())
    assert at[1][1] > at[2][1] > at[5][1]


def test_who_has_no_transaction_in_the_window_is_lost_and_not_fitted_on() -> None:
    found, model = fitted()
    absent = found.clients.filter(~is_active)
    assert absent.height > 20
    assert model.clients == found.clients.height - absent.height
    told = model.segmented(absent)
    assert set(told["segment"]) == set(told["quintile_segment"]) == {5}
    assert set(told["r_score"]) == set(told["f_score"]) == set(told["m_score"]) == {1}
    only_active = with_clients(found, found.clients.filter(is_active))
    assert fit_model(only_active, RATES).centroids == model.centroids


def test_a_model_comes_back_as_it_was_kept() -> None:
    found, model = fitted()
    back = model_from(model.document, model.sha256, model.version)
    assert back == model
    assert back.document == model.document
    assert back.segmented(found.clients).equals(model.segmented(found.clients))
    told = json.loads(model.document)
    assert told["since"] == "2024-07-01"
    assert set(told["versions"]) == {"numpy", "polars", "python", "scikit-learn", "scipy"}


def test_a_model_that_was_changed_is_refused() -> None:
    _, model = fitted()
    changed = model.document.replace('"clients": ', '"clients": 1')
    with pytest.raises(TargetError, match="does not match"):
        model_from(changed, model.sha256, model.version)


def test_a_model_of_another_format_is_refused() -> None:
    _, model = fitted()
    later = replace(model, seed=2)
    text = later.document.replace('"format": 1', '"format": 2')
    with pytest.raises(TargetError, match="has format 2"):
        model_from(text, hashlib.sha256(text.encode()).hexdigest(), "later")


def test_another_value_is_another_model() -> None:
    found, model = fitted()
    changed = found.clients.with_columns(monetary_minor=pl.col("monetary_minor") + pl.int_range(pl.len()).eq(0))
    assert with_clients(found, changed).digest != found.digest
    assert fit_model(with_clients(found, changed), RATES).version != model.version
    assert Values(found.window, found.clients, 2).digest == found.digest


def test_all_amounts_equal() -> None:
    found = business()
    equal = with_clients(found, found.clients.with_columns(monetary_minor=pl.lit(5_000, pl.Int64)))
    model = fit_model(equal, RATES)
    assert set(model.segments(equal.clients.filter(is_active))) == {1, 2, 3, 4, 5}
    assert set(model.segmented(equal.clients.filter(is_active))["m_score"]) == {3}


def test_nobody_in_the_window() -> None:
    with pytest.raises(DataRefusedError, match=f"from 2024-07-01 to before {AS_OF}"):
        fit_model(values(frequency=[0, 0], recency=[400, 500]), RATES)


@pytest.mark.parametrize("count", [1, 4])
def test_too_few_clients(count: int) -> None:
    with pytest.raises(DataRefusedError, match="5 segments need 5"):
        fit_model(values(recency=list(range(1, count + 1))), RATES)


def test_equal_clients() -> None:
    with pytest.raises(DataRefusedError, match=r"80 active client\(s\) have 1 different"):
        fit_model(values(recency=[7] * 80), RATES)


def test_five_clients_are_enough_and_have_no_lifetime_model() -> None:
    few = values(
        recency=[1, 2, 60, 20, 300],
        frequency=[500, 80, 70, 8, 1],
        monetary_minor=[10**9, 10**7, 10**7, 10**5, 10**3],
    )
    model = fit_model(few, RATES)
    told = model.segmented(few.clients)
    assert told["segment"].to_list() == [1, 2, 3, 4, 5]
    assert told["alive_probability"].null_count() == told["expected_revenue"].null_count() == 5
    assert quality(few, model)["silhouettes"].keys() <= {"2", "3", "4"}


def test_what_is_measured_of_it() -> None:
    found, model = fitted()
    told = quality(found, model)
    assert list(told["silhouettes"]) == [str(k) for k in range(2, 11)]
    assert told["bootstrap_ari"]["mean"] >= 0.8
    assert 0.2 < told["quintile_ari"] < 1
    assert told == quality(found, model)
    json.dumps(told)


def test_clients_without_structure_are_less_firm() -> None:
    found, model = fitted()
    dice = np.random.default_rng(1)
    active = found.clients.filter(is_active).with_columns(
        pl.Series(name, dice.permutation(found.clients.filter(is_active)[name].to_numpy()), dtype=dtype)
        for name, dtype in (("recency", pl.Int32), ("frequency", pl.Int32), ("monetary_minor", pl.Int64))
    )
    firm = bootstrap_ari(found.clients.filter(is_active), model)
    assert bootstrap_ari(active, model)["mean"] < firm["mean"]


def test_the_day_is_that_of_the_window() -> None:
    _, model = fitted()
    assert model.as_of == AS_OF
    assert model.version.startswith(f"rfm-{AS_OF}-")
    assert replace(model, as_of=AS_OF + timedelta(days=1)).version != model.version
