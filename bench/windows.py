"""Windows that DuckDB can say too: sums, counts, deviations and distinct beneficiaries, by the code of the features."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl

from ml.features.beneficiary import Window, distinct
from ml.features.blocks import THREADS, blocks
from ml.features.compiled import compiled
from ml.features.counterpart import order_of
from ml.features.order import in_both_orders
from ml.features.sums import deviation, mean
from ml.features.timeline import DAY, Floats, Ints, Timeline
from ml.features.view import View, entity

WINDOWS_DAYS = (1, 7, 30)
DISTINCT_DAYS = 7


def write_source(rows: pl.DataFrame, path: Path) -> None:
    """What both read: a moment without a zone, so that nobody has to convert it."""
    rows.select(
        pl.col("transaction_id").cast(pl.Int64),
        pl.col("transaction_ts").dt.replace_time_zone(None),
        "client",
        "beneficiary",
        "amount_minor",
    ).write_parquet(path)


def windows(path: Path) -> pl.DataFrame:
    """`transaction_id` and the windows of each, in the order of the file."""
    frame = pl.read_parquet(path)
    order, by_moment = in_both_orders(frame)
    frame = frame.lazy().select(pl.all().gather(order)).collect()
    beneficiaries = entity(frame, "beneficiary")
    with ThreadPoolExecutor(THREADS) as threads:
        of_beneficiaries = threads.submit(order_of, beneficiaries, by_moment)
        parts = list(threads.map(lambda block: _of_clients(frame[block]), blocks(entity(frame, "client"))))
        counts = _of_beneficiaries(frame, beneficiaries, of_beneficiaries.result(), threads)
    return pl.concat(parts).with_columns(counts)


def differences(ours: pl.DataFrame, theirs: pl.DataFrame) -> dict[str, int]:
    """Column -> rows that differ by more than a part in 10^9. Amounts that are all but equal have no deviation here."""
    ours, theirs = ours.sort("transaction_id"), theirs.sort("transaction_id")
    found = {}
    for name in ours.columns:
        one, other = ours[name], theirs[name]
        same = ((one - other).abs() <= 1e-9 * other.abs().clip(lower_bound=1)) | (one.is_null() & other.is_null())
        if name.startswith("deviation"):
            days = name.rpartition("_")[2]
            mean = theirs[f"sum_{days}"] / theirs[f"count_{days}"]
            same = same | (one.is_null() & (other <= 1.001e-3 * mean))
        found[name] = ours.height - int(same.fill_null(value=False).sum())
    return {name: rows for name, rows in found.items() if rows}


def _of_clients(part: pl.DataFrame) -> pl.DataFrame:
    view = View.of(part)
    client, rows = view.client, view.rows
    columns = {}
    for days in WINDOWS_DAYS:
        since = client.back(days * DAY)
        count, total, deviations = _spread(view.amounts, since, client.now)
        columns[f"count_{days}d"] = pl.Series(count)
        columns[f"sum_{days}d"] = pl.Series(total).set(pl.Series(count == 0), None)
        columns[f"deviation_{days}d"] = pl.Series(deviations, nan_to_null=True)
    several = np.empty(len(rows))
    window = Window(DISTINCT_DAYS * DAY, client.back(DISTINCT_DAYS * DAY), client.now)
    distinct(several, rows, window, view.pairs.gaps, view.known("beneficiary"))
    columns[f"distinct_{DISTINCT_DAYS}d"] = pl.Series(several).cast(pl.Int64)
    return part.select("transaction_id").with_columns(**columns)


@compiled
def _spread(before: Ints, since: Ints, until: Ints) -> tuple[Ints, Ints, Floats]:
    count = until - since
    total, deviations = np.empty_like(count), np.empty(len(count))
    for row in range(len(count)):
        total[row] = before[until[row], 0] - before[since[row], 0]
        around = mean(before, since[row], until[row])
        deviations[row] = deviation(before, since[row], until[row], around)
    return count, total, deviations


def _of_beneficiaries(
    frame: pl.DataFrame, beneficiaries: np.ndarray, order: np.ndarray, threads: ThreadPoolExecutor
) -> list[pl.Series]:
    moment = frame["transaction_ts"].dt.epoch("ms").to_numpy()
    found = {days: np.zeros(frame.height, np.int64) for days in WINDOWS_DAYS}

    def count(block: slice) -> None:
        rows = order[block]
        line = Timeline.of(beneficiaries[rows], moment[rows])
        for days, counts in found.items():
            counts[rows] = line.now - line.back(days * DAY)

    list(threads.map(count, blocks(beneficiaries[order])))
    return [pl.Series(f"beneficiary_count_{days}d", counts) for days, counts in found.items()]
