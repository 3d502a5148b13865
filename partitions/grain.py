"""Which leaf a day belongs to. The grain is the month."""

from dataclasses import dataclass
from datetime import date

# Tables whose leaves cover the same months and come and go together with those of the fact.
PARTITIONED = ("fact_transactions", "fact_daily_client_summary")


@dataclass(frozen=True, order=True)
class Month:
    """A month as YYYYMM: the range of `date_key` that one leaf covers."""

    number: int

    @property
    def first_key(self) -> int:
        """Lower bound of the leaf, inclusive, as YYYYMMDD."""
        return self.number * 100 + 1

    @property
    def next_key(self) -> int:
        """Upper bound of the leaf, exclusive, as YYYYMMDD."""
        year, month = divmod(self.number, 100)
        return (year + month // 12) * 10_000 + (month % 12 + 1) * 100 + 1

    @property
    def first_day(self) -> date:
        return date(self.number // 100, self.number % 100, 1)

    def leaf_of(self, table: str) -> str:
        """Name of the leaf of `table` for this month."""
        year, month = divmod(self.number, 100)
        return f"{table}_{year:04d}_{month:02d}"

    def __str__(self) -> str:
        return f"{self.number // 100:04d}-{self.number % 100:02d}"
