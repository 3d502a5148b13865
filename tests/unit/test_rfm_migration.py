"""Moves: of clients and of a refit, which add up."""

from dataclasses import replace

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.rfm.migration import changed, migration
from ml.rfm.model import Model
from ml.rfm.prototypes import prototypes
from ml.rfm.quintiles import Cuts
from ml.rfm.scaling import Scaling
from tests.segments import AS_OF, RATES

PLAIN = Scaling((400, 10_000, 10**12), (-2.0, 4.0, 15.0), (1.4, 1.2, 1.7), 0)
OLD = Model(
    AS_OF, 5, "", RATES, PLAIN, Cuts((), (), ()), tuple(map(tuple, prototypes().tolist())), lifetime=None, versions={}
)
NEW = replace(OLD, centroids=tuple(map(tuple, (prototypes() + 0.4).tolist())))

EARLIER = st.dictionaries(st.integers(0, 40), st.integers(1, 5), max_size=30)
LATER = st.dictionaries(
    st.integers(0, 40), st.tuples(st.integers(1, 400), st.integers(0, 900), st.integers(0, 10**9)), max_size=30
)


def earlier_frame(segments: dict[int, int]) -> pl.DataFrame:
    rows = [(bytes([ref]), segment) for ref, segment in segments.items()]
    return pl.DataFrame(rows, schema={"client_ref": pl.Binary, "segment": pl.Int16}, orient="row")


def later_frame(found: dict[int, tuple[int, int, int]], model: Model) -> pl.DataFrame:
    rows = [(bytes([ref]), *one) for ref, one in found.items()]
    schema = {"client_ref": pl.Binary, "recency": pl.Int32, "frequency": pl.Int32, "monetary_minor": pl.Int64}
    clients = pl.DataFrame(rows, schema=schema, orient="row")
    return clients.with_columns(model.segments(clients))


def margin(counts: pl.DataFrame, side: str) -> dict[int, int]:
    told = counts.filter(pl.col(side).is_not_null()).group_by(side).agg(pl.sum("clients"))
    return dict(told.sort(side).iter_rows())


@settings(max_examples=40)
@given(EARLIER, LATER)
def test_moves_account_for_everyone(earlier: dict[int, int], found: dict[int, tuple[int, int, int]]) -> None:
    before, after = earlier_frame(earlier), later_frame(found, NEW)
    moves = migration(before, after, OLD, is_refit=True)
    everyone = len(set(earlier) | set(found))
    assert moves.moved["clients"].sum() == moves.total["clients"].sum() == everyone
    assert moves.refitted["clients"].sum() == len(found)
    # The two kinds of moves meet in what the old model says of the later day.
    assert margin(moves.moved, "after") == margin(moves.refitted, "before")
    assert margin(moves.moved, "before") == margin(moves.total, "before")
    assert margin(moves.refitted, "after") == margin(moves.total, "after")


@settings(max_examples=40)
@given(EARLIER, LATER)
def test_without_a_refit_all_moves_are_of_clients(
    earlier: dict[int, int], found: dict[int, tuple[int, int, int]]
) -> None:
    moves = migration(earlier_frame(earlier), later_frame(found, OLD), OLD, is_refit=False)
    assert changed(moves.refitted) == 0
    assert moves.moved.equals(moves.total)


def test_a_refit_moves_clients_who_did_nothing() -> None:
    found = {ref: (1 + 9 * ref, 200 - 4 * ref, 10**8 // (ref + 1)) for ref in range(40)}
    before = later_frame(found, OLD).select("client_ref", "segment")
    moves = migration(before, later_frame(found, NEW), OLD, is_refit=True)
    assert changed(moves.moved) == 0
    assert changed(moves.refitted) == changed(moves.total) > 0


def test_who_comes_and_who_goes() -> None:
    moves = migration(earlier_frame({1: 2}), later_frame({2: (400, 0, 0)}, OLD), OLD, is_refit=False)
    assert moves.total.rows() == [(2, None, 1), (None, 5, 1)]
    assert changed(moves.total) == 0
