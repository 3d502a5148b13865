"""Step 6: what the leaves hold of some ids. A leaf is asked for those only that may stand in it.

Sorted ids are cut into blocks of parts; where a leaf has no id between the ends of a part, it has none of its ids. So
most ids of a day cost a leaf of last year a thirty-second part of a look-up, whatever else came late into it.
"""

import polars as pl

from warehouse.connection import Connection, sql
from warehouse.queries import query
from warehouse.snapshot import Reader, reader

IDS_PER_PART = 32
PARTS_PER_BLOCK = 32

# Nothing meets it: for the columns, where no leaf has any of the ids.
NO_LEAF = ("dwh", "fact_transactions")


def stored_versions(connection: Connection, url: str, ids: pl.Series) -> pl.DataFrame:
    """The version, and its cell of the summary, that the leaves hold of each of `ids`, which are different ones.

    An id that stands in two leaves, which none may, gives two rows.
    """
    leaves = connection.execute(query("merge/leaves")).fetchall()
    with reader(url) as reading:
        _stage(reading, ids)
        for number, leaf in enumerate(leaves):
            reading.execute(_of_leaf("merge/meet", leaf), (number,))
        reading.execute("ANALYZE meeting")
        met = reading.read("SELECT DISTINCT leaf_number FROM meeting ORDER BY 1").to_series()
        found = [reading.read(_of_leaf("merge/stored_versions", leaves[number]), (number,)) for number in met]
        return pl.concat([reading.read(_of_leaf("merge/stored_versions", NO_LEAF), (-1,)), *found])


def _of_leaf(name: str, leaf: tuple[str, str]) -> str:
    return sql.SQL(query(name)).format(leaf=sql.Identifier(*leaf)).as_string()


def _stage(reading: Reader, ids: pl.Series) -> None:
    # By their bytes, as the column's collation has it.
    place = pl.int_range(pl.len())
    offered = pl.DataFrame({"transaction_id": ids.sort()}).with_columns(
        part=place // IDS_PER_PART, block=place // (IDS_PER_PART * PARTS_PER_BLOCK)
    )
    ends = pl.col("transaction_id").first().alias("lowest"), pl.col("transaction_id").last().alias("highest")
    reading.stage("incoming", offered.select("transaction_id", "part"))
    reading.stage("id_part", offered.group_by("part", "block").agg(ends))
    reading.stage("id_block", offered.group_by("block").agg(ends))
    reading.execute(query("merge/stage_meeting"))
