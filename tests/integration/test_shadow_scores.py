"""A shadow scores beside the champion, changes nothing that counts, and is compared with it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from sklearn.metrics import average_precision_score

from ml.fraud.imbalance import Imbalance
from ml.fraud.score import score_days, score_new
from ml.fraud.shadow import SHADOW_DAYS
from ml.fraud.side_by_side import SideBySide, side_by_side
from ml.fraud.train import train
from ml.fraud.windows import Days
from tests.loading import SERVICE, load, new_folder, rows_of, transaction, value_of, write_feed
from tests.scoring import ORDER, SMALL, Scoring, Trained, copied, silent
from warehouse.errors import NothingToDoError

NEWEST = date(2024, 4, 30)
FIRST = NEWEST - timedelta(days=SHADOW_DAYS - 1)
SCORES = "SELECT transaction_id, date_key, fraud_score, band, reasons, model_version FROM ml.fraud_score ORDER BY 1"
SHADOW = "SELECT transaction_id, date_key, fraud_score, band FROM ml.shadow_score ORDER BY 1"
SAME_OF_CHAMPION = (
    "SELECT transaction_id, date_key, fraud_score, band FROM ml.fraud_score WHERE date_key >= %s ORDER BY 1"
)


@pytest.fixture
def alone(trained_warehouse: Trained) -> Iterator[Scoring]:
    with copied(trained_warehouse) as one:
        yield one


@pytest.fixture
def warehouse(alone: Scoring) -> Scoring:
    """With a champion and a shadow."""
    shadow = train(alone.url, alone.registry, replace(ORDER, parameters=replace(SMALL, trees=5)), silent)
    assert shadow.is_shadow
    assert alone.registry.shadow == shadow.version != alone.registry.stages.champion
    return alone


def test_it_scores_the_newest_days_as_it_would_as_champion(warehouse: Scoring) -> None:
    done = score_days(warehouse.site, None)
    with_shadow, beside = rows_of(warehouse.url, SCORES), rows_of(warehouse.url, SHADOW)
    assert done.shadow_transactions == len(beside) < done.transactions == len(with_shadow)
    assert f"The shadow {warehouse.registry.shadow} scored {len(beside):,} of them" in done.in_words()
    rows_of(warehouse.url, "DELETE FROM ml.shadow_score RETURNING 1")
    score_days(warehouse.site, None, warehouse.registry.shadow)
    assert rows_of(warehouse.url, SAME_OF_CHAMPION, int(f"{FIRST:%Y%m%d}")) == beside
    # Beside a version that is asked for, nobody scores.
    assert rows_of(warehouse.url, SHADOW) == []


def test_the_champions_scores_are_those_that_it_gives_alone(warehouse: Scoring) -> None:
    score_days(warehouse.site, None, warehouse.registry.stages.champion)
    alone = rows_of(warehouse.url, SCORES)
    score_days(warehouse.site, None)
    assert rows_of(warehouse.url, SCORES) == alone


def test_each_fills_unknown_values_in_its_own_way(alone: Scoring) -> None:
    order = replace(ORDER, imbalance=Imbalance.SMOTE, promote=True)
    champion = train(alone.url, alone.registry, order, silent)
    shadow = train(alone.url, alone.registry, replace(ORDER, parameters=replace(SMALL, trees=5)), silent)
    assert champion.manifest.fill
    assert not shadow.manifest.fill
    days = Days(date(2024, 4, 1), date(2024, 4, 8))
    score_days(alone.site, days)
    beside = rows_of(alone.url, SHADOW)
    assert beside
    score_days(alone.site, days, shadow.version)
    assert rows_of(alone.url, SAME_OF_CHAMPION, 20240401) == beside


def test_a_night_scores_what_is_new_by_both_and_never_twice(warehouse: Scoring) -> None:
    for updated_at, status in (("2024-04-20T10:00:00Z", "SUCCESS"), ("2024-04-21T10:00:00Z", "FAILED")):
        folder = new_folder("delivery")
        write_feed(folder, "services", [SERVICE])
        row = transaction(1, transaction_ts="2024-04-20T10:00:00Z", updated_at=updated_at, status=status)
        write_feed(folder, "transactions", [row])
        load(folder, warehouse.url)
        done = score_new(warehouse.site)
        assert (done.transactions, done.shadow_transactions) == (1, 1)
        assert rows_of(warehouse.url, "SELECT transaction_id, date_key FROM ml.shadow_score") == [("T1", 20240420)]


def test_a_shadow_that_does_not_fit_keeps_nobody_from_scoring(warehouse: Scoring) -> None:
    shadow = warehouse.registry.shadow
    assert shadow
    (warehouse.registry.folder / shadow / "model.ubj").write_bytes(b"changed")
    done = score_days(warehouse.site, Days(NEWEST, NEWEST + timedelta(days=1)))
    assert done.transactions > done.shadow_transactions == 0
    assert f"The shadow {shadow} did not score: " in done.in_words()
    assert "differs from what the manifest says" in (done.shadow_problem or "")


def test_scores_of_what_is_no_longer_the_shadow_go(warehouse: Scoring) -> None:
    days = Days(date(2024, 4, 1), date(2024, 4, 8))
    score_days(warehouse.site, days)
    champion, shadow = warehouse.registry.stages.champion, warehouse.registry.shadow
    assert value_of(warehouse.url, "SELECT count(*) FROM ml.shadow_score") > 0
    assert shadow
    warehouse.registry.promote(shadow)
    assert warehouse.registry.shadow is None
    assert warehouse.registry.stages.of(champion or "") == "retired"
    score_days(warehouse.site, days)
    assert value_of(warehouse.url, "SELECT count(*) FROM ml.shadow_score") == 0


def test_a_model_that_knows_less_than_the_champion_is_no_shadow(alone: Scoring) -> None:
    older = train(alone.url, alone.registry, replace(ORDER, until=date(2024, 4, 20)), silent)
    assert (older.stage, older.is_shadow) == ("shadow", False)
    assert alone.registry.shadow is None


def test_old_days_are_forgotten(warehouse: Scoring) -> None:
    rows_of(
        warehouse.url,
        "INSERT INTO ml.shadow_score VALUES (now(), 0.5, 20240101, 'OLD', %s, 'allow') RETURNING 1",
        warehouse.registry.shadow,
    )
    score_days(warehouse.site, Days(NEWEST, NEWEST + timedelta(days=1)))
    assert value_of(warehouse.url, "SELECT count(*) FROM ml.shadow_score WHERE transaction_id = 'OLD'") == 0


def test_side_by_side(warehouse: Scoring) -> None:
    score_days(warehouse.site, None)
    found = side_by_side(warehouse.url, warehouse.registry, date(2024, 3, 1), None)
    # Labels are due after seven days: those of the newest day and of the six before it are not.
    assert found.labels_until == date(2024, 4, 24)
    both = pl.DataFrame(
        rows_of(
            warehouse.url,
            "SELECT c.date_key, c.fraud_score, c.band, s.fraud_score, s.band, coalesce(is_fraud, false)"
            " FROM ml.shadow_score s JOIN ml.fraud_score c USING (transaction_id)"
            " LEFT JOIN ml.fraud_label USING (transaction_id) WHERE c.date_key >= 20240301",
        ),
        schema=["day", "score", "band", "other_score", "other_band", "fraud"],
        orient="row",
    )
    assert found.transactions == both.height
    pairs = {(one, other): n for one, counts in found.bands.items() for other, n in counts.items() if n}
    assert pairs == {(one, other): n for one, other, n in both.group_by("band", "other_band").len().iter_rows()}
    due = both.filter(pl.col("day") < 20240424)
    assert (found.labelled, found.frauds) == (due.height, due["fraud"].sum())
    assert found.frauds > 0
    _assert_side(found, both, due)


def _assert_side(found: SideBySide, both: pl.DataFrame, due: pl.DataFrame) -> None:
    for side, band, other, score in (
        (found.champion, "band", "other_band", "score"),
        (found.shadow, "other_band", "band", "other_score"),
    ):
        alerts = due.filter(pl.col(band) != "allow")
        hits = alerts.filter("fraud")
        assert side.alerts == both.filter(pl.col(band) != "allow").height
        assert side.blocked == both.filter(pl.col(band) == "block").height
        assert side.average_precision == pytest.approx(average_precision_score(due["fraud"], due[score]))
        assert side.precision == pytest.approx(hits.height / alerts.height)
        assert side.recall == pytest.approx(hits.height / found.frauds)
        assert (side.found, side.found_alone) == (hits.height, hits.filter(pl.col(other) == "allow").height)


def test_nothing_to_compare_is_said(warehouse: Scoring) -> None:
    with pytest.raises(NothingToDoError, match="no transaction has a score of the champion"):
        side_by_side(warehouse.url, warehouse.registry, None, None)
    score_days(warehouse.site, Days(NEWEST, NEWEST + timedelta(days=1)))
    found = side_by_side(warehouse.url, warehouse.registry, None, None)
    # Of its only day no label is due.
    assert (found.labelled, found.frauds, found.shadow.average_precision, found.shadow.recall) == (0, 0, None, None)
