"""Scores from 1 to 5 on each axis, and the segment that they name by a rule."""

from dataclasses import dataclass

import polars as pl

SCORES = {"r_score": "recency", "f_score": "frequency", "m_score": "monetary_minor"}
FIFTHS = 5


@dataclass(frozen=True)
class Cuts:
    """For each score the four values at which it becomes 2, 3, 4 and 5; more is better, days of recency are negative.

    Two scores may begin at the same value: then the lower one is given to nobody.
    """

    r_score: tuple[int, ...]
    f_score: tuple[int, ...]
    m_score: tuple[int, ...]

    def apply(self, clients: pl.DataFrame) -> pl.DataFrame:
        """The columns `r_score`, `f_score`, `m_score` (Int16); clients without a transaction in the window get 1."""
        return clients.select(
            pl.when(pl.col("frequency") > 0)
            .then(1 + pl.sum_horizontal((_better(score) >= cut).cast(pl.Int16) for cut in getattr(self, score)))
            .otherwise(1)
            .cast(pl.Int16)
            .alias(score)
            for score in SCORES
        )


def fit_cuts(clients: pl.DataFrame) -> Cuts:
    """Cuts of active clients.

    Ties: clients with equal values have equal scores. The rank of a value is the mean of the ranks of all who have it;
    the score is the fifth in which this rank lies. So values that all are equal are in the middle.
    """
    return Cuts(**{score: _cuts(clients.select(_better(score)).to_series()) for score in SCORES})


def _better(score: str) -> pl.Expr:
    value = pl.col(SCORES[score]).cast(pl.Int64)
    return -value if score == "r_score" else value


def _cuts(values: pl.Series) -> tuple[int, ...]:
    count = len(values)
    scored = (
        pl.DataFrame({"value": values, "twice": (values.rank("average") * 2).cast(pl.Int64)})
        .unique("value")
        # In half ranks, which are whole: of n ranks, r lies at the share (r - 1/2) / n.
        .with_columns(score=1 + (pl.col("twice") - 1) * FIFTHS // (2 * count))
        .sort("value")
    )
    beyond = int(values.max()) + 1  # type: ignore[arg-type]
    cuts = [scored.filter(pl.col("score") >= score)["value"].min() for score in range(2, FIFTHS + 1)]
    return tuple(beyond if cut is None else int(cut) for cut in cuts)  # type: ignore[arg-type]


def quintile_segment() -> pl.Expr:
    """Segment 1 to 5 of three scores by a rule that anyone can check; `worth` is the mean of frequency and value.

    Recency 4 or 5 and worth 4 or more: Champions. Recency 3 to 5 and worth 2.5 or more: Loyal. Recency 1 or 2 and worth
    3 or more: At Risk. Recency 1 and worth less: Lost. All others: Hibernating.
    """
    recent, worth = pl.col("r_score"), pl.col("f_score") + pl.col("m_score")
    return (
        pl.when(pl.col("frequency") == 0)
        .then(5)
        .when((recent >= 4) & (worth >= 8))
        .then(1)
        .when((recent >= 3) & (worth >= 5))
        .then(2)
        .when((recent <= 2) & (worth >= 6))
        .then(3)
        .when(recent == 1)
        .then(5)
        .otherwise(4)
        .cast(pl.Int16)
        .alias("quintile_segment")
    )
