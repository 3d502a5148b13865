"""What became of each row read: loaded, updated, repeated or rejected. Kept by file, so that the sums can say so."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from engine.duplicates import CONFLICT, NEW, REPEATED, UPDATED
from engine.shards import FILE_SHIFT

CONFLICTING_DUPLICATE = "conflicting_duplicate"

LOADED = "loaded"
_FINAL = {NEW: "loaded", UPDATED: "updated", REPEATED: "repeated", CONFLICT: "rejected"}


# Where the warehouse has nothing to say of the winners.
NO_WINNERS = pl.DataFrame(schema={"transaction_id": pl.String, "verdict": pl.String})


@dataclass
class Outcomes:
    """Counts of one file."""

    read: int = 0
    loaded: int = 0
    updated: int = 0
    repeated: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def balanced(self) -> bool:
        return self.read == self.loaded + self.updated + self.repeated + self.rejected

    def refuse(self, reason: str, rows: int) -> None:
        """Count rows under a reason; a row with two reasons stands under both, but is rejected once."""
        self.reasons[reason] = self.reasons.get(reason, 0) + rows

    def add(self, other: "Outcomes") -> None:
        """Add the counts of another file."""
        for name in ("read", "loaded", "updated", "repeated", "rejected"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for reason, rows in other.reasons.items():
            self.refuse(reason, rows)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("read", "loaded", "updated", "repeated", "rejected")}


@dataclass(frozen=True)
class Verdicts:
    """Final outcome of single rows: `seq` (Int64) and `final` (loaded, updated, repeated, rejected)."""

    rows: pl.DataFrame

    def count(self, by_file: dict[int, Outcomes]) -> None:
        """Count rows that until now stood as loaded under what they really were."""
        counted = self.rows.group_by(pl.col("seq") // (1 << FILE_SHIFT), "final").len()
        for file_number, final, rows in counted.iter_rows():
            outcomes = by_file[file_number]
            outcomes.loaded -= rows
            setattr(outcomes, final, getattr(outcomes, final) + rows)
            if final == "rejected":
                outcomes.refuse(CONFLICTING_DUPLICATE, rows)

    @property
    def conflicts(self) -> list[int]:
        """Sequence numbers of the rows that go to quarantine as conflicting duplicates."""
        return self.rows.filter(pl.col("final") == "rejected")["seq"].to_list()

    def to_json(self) -> dict[str, list[int]]:
        groups = self.rows.filter(pl.col("final") != LOADED).group_by("final").agg("seq")
        return dict(groups.iter_rows())

    @classmethod
    def from_json(cls, document: dict[str, list[int]]) -> "Verdicts":
        pairs = [(seq, final) for final, seqs in document.items() for seq in seqs]
        return cls(pl.DataFrame(pairs, schema={"seq": pl.Int64, "final": pl.String}, orient="row"))


def settle(versions: pl.DataFrame, winners: pl.DataFrame) -> Verdicts:
    """Final outcomes of all versions of ids, once the warehouse has said what it makes of the winners.

    Args:
        versions: `transaction_id`, `seq`, `outcome`, `wins`, as `duplicates.judge` gives them.
        winners: `transaction_id` and `verdict` (loaded, updated, repeated, conflict) of the rows that were offered; ids
            that are not in it were new to the warehouse.
    """
    final = pl.col("outcome").replace_strict(_FINAL, return_dtype=pl.String)
    advanced = pl.col("outcome").is_in([NEW, UPDATED])
    verdict = pl.col("verdict").fill_null(LOADED)
    settled = (
        pl.when(~advanced | (verdict == LOADED))
        .then(final)
        .when(verdict == UPDATED)
        .then(pl.lit("updated"))
        .when((verdict == CONFLICT) & pl.col("wins"))
        .then(pl.lit("rejected"))
        .otherwise(pl.lit("repeated"))
    )
    joined = versions.join(winners, on="transaction_id", how="left")
    return Verdicts(joined.select("seq", settled.alias("final")))


def total(outcomes: Iterable[Outcomes]) -> Outcomes:
    """Sum over files."""
    result = Outcomes()
    for one in outcomes:
        result.add(one)
    return result
