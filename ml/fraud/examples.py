"""Examples to learn from: a frame of features and labels as the matrix that a model takes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.features.blocks import THREADS
from ml.features.catalogue import Feature
from warehouse.errors import ModelError, TrainingError

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

ROWS_OF_SLICE = 1 << 14

# Moments repeat, ids do not: with both the order is total, and a fit sees the same rows in the same places every time.
ORDER = ("transaction_ts", "transaction_id")


def matrix_of(frame: pl.DataFrame, features: Sequence[Feature]) -> Matrix:
    """Features of each row in the order of the list, as the 32 bits that tree models compare; NaN where unknown.

    Raises:
        ModelError: a feature of the list is not among the columns.
    """
    names, there = [feature.name for feature in features], set(frame.columns)
    missing = [name for name in names if name not in there]
    if missing:
        raise ModelError(
            f"{len(missing)} of {len(names)} features are not among the columns: {', '.join(missing)}",
            remedy="compute the features with this version of Cauri, or train a new model: cauri fraud train",
            missing=missing,
        )
    columns = frame.select(pl.col(names).cast(pl.Float32))
    matrix = np.empty((frame.height, len(names)), np.float32)

    def fill(first: int) -> None:
        rows = columns.slice(first, ROWS_OF_SLICE)
        matrix[first : first + rows.height] = rows.to_numpy(order="c")

    # At once, Polars would make each column one piece first, and hold all features three times.
    firsts = range(0, frame.height, ROWS_OF_SLICE)
    if len(firsts) == 1:
        # A single transaction takes less than threads take to start.
        fill(0)
        return matrix
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(fill, firsts))
    return matrix


def labels_of(examples: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each example is fraud.

    Raises:
        TrainingError: there are none, some are unlabelled, or all are of one kind.
    """
    if "is_fraud" not in examples.columns or examples["is_fraud"].null_count() == examples.height:
        raise TrainingError(
            f"none of the {examples.height:,} transactions of the training window has a label",
            remedy="load the feed fraud_labels, or choose another window",
        )
    unlabelled = examples["is_fraud"].null_count()
    if unlabelled:
        raise TrainingError(
            f"{unlabelled:,} of {examples.height:,} examples have no label",
            remedy="decide what they are before fitting",
        )
    frauds = int(examples["is_fraud"].sum())
    if frauds in {0, examples.height}:
        kind = "fraud" if frauds else "honest"
        raise TrainingError(
            f"all {examples.height:,} examples are {kind}: there is nothing to tell apart",
            remedy="choose a longer training window, or load labels of both kinds",
            examples=examples.height,
            frauds=frauds,
        )
    return examples["is_fraud"].to_numpy()


def in_order(examples: pl.DataFrame) -> pl.DataFrame:
    """The examples in their total order."""
    return examples.sort(ORDER)
