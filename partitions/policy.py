"""What is wanted of each partitioned table: declared in one file, checked before anything is planned."""

import tomllib
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from partitions.grain import Grain
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings

# Tables whose leaves a load builds together, for the same days.
FACTS, SUMMARY = LOADED_TOGETHER = ("dwh.fact_transactions", "dwh.fact_daily_client_summary")

DEFAULT_FILE = Path(__file__).with_name("policies.toml")

MIB = 1024 * 1024

# What a table may be called: it becomes part of the names of its leaves.
_NAME = r"^[a-z][a-z0-9_]*$"
_LONGEST_NAME = 40

# Storage options that PostgreSQL knows for a leaf; others would be refused only when a leaf is made.
STORAGE_OPTIONS = frozenset({"fillfactor", "toast_tuple_target", "parallel_workers"})


class AtEnd(StrEnum):
    """What becomes of a leaf whose retention has passed."""

    KEEP = "keep"
    DETACH = "detach"
    ARCHIVE = "archive"
    DROP = "drop"


class KeyKind(StrEnum):
    """Type of the partition key."""

    DATE_KEY = "date_key"  # integer, YYYYMMDD
    DATE = "date"
    MOMENT = "timestamptz"


class Retention(BaseModel):
    """How long a leaf stays after its end: days, months, years; or `leaves`, so many units of the table's grain.

    Judged by the clock on the wall, never by the newest row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[int, Field(ge=1)] | None = None
    months: Annotated[int, Field(ge=1)] | None = None
    years: Annotated[int, Field(ge=1)] | None = None
    leaves: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Retention":
        given = [name for name in ("days", "months", "years", "leaves") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of days, months, years, leaves; found {', '.join(given) or 'none'}")
        return self

    def bound(self, today: date) -> date | None:
        """The day up to which leaves have to have ended to be past retention; None where leaves are counted."""
        if self.leaves is not None:
            return None
        if self.days is not None:
            return date.fromordinal(max(1, today.toordinal() - self.days))
        months = (self.years or 0) * 12 + (self.months or 0)
        year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
        return date(max(year, 1), month + 1, min(today.day, _DAYS_OF_EVERY_MONTH))


# A bound on the 29th to the 31st falls back to this day: it is then a little earlier, and keeps more.
_DAYS_OF_EVERY_MONTH = 28


class Policy(BaseModel):
    """What is wanted of one partitioned table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table_schema: Annotated[str, Field(alias="schema", pattern=_NAME)]
    table: Annotated[str, Field(pattern=_NAME, max_length=_LONGEST_NAME)]
    key: Annotated[str, Field(pattern=_NAME)]
    key_kind: KeyKind = KeyKind.DATE_KEY
    grain: Grain = Grain.MONTH
    premake: int = Field(3, ge=0, le=1000)
    # Unique indexes of each leaf; the parent has none (docs/decisions.md), its other indexes are every leaf's too.
    unique: tuple[tuple[Annotated[str, Field(pattern=_NAME)], ...], ...] = ()
    retention: Retention | None = None
    at_end: AtEnd = AtEnd.KEEP
    tablespace: Annotated[str, Field(pattern=_NAME)] | None = None
    storage: dict[str, int] = {}
    # Whether leaves of another grain than this one are changed, or stay as they are.
    regrain: bool = False
    target_mib: int = Field(20_480, ge=1)
    timezone: str | None = None

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (KeyError, ValueError) as exc:
                raise ValueError(f"{name!r} is not a time zone") from exc
        return name

    @field_validator("storage")
    @classmethod
    def _known_options(cls, options: dict[str, int]) -> dict[str, int]:
        unknown = sorted(set(options) - STORAGE_OPTIONS)
        if unknown:
            known = ", ".join(sorted(STORAGE_OPTIONS))
            raise ValueError(f"unknown storage option(s) {', '.join(unknown)}; known: {known}")
        return options

    @model_validator(mode="after")
    def _consistent(self) -> "Policy":
        if self.retention is None:
            if self.at_end is not AtEnd.KEEP:
                raise ValueError(f"at_end is {self.at_end.value}, but no retention says when")
            return self
        if self.at_end is AtEnd.KEEP:
            raise ValueError("a retention is given, but at_end keeps every leaf")
        if self._retained_days() < self._premade_days():
            raise ValueError("the retention is shorter than what premake creates ahead")
        return self

    def _retained_days(self) -> int:
        kept = self.retention
        assert kept is not None
        if kept.leaves is not None:
            return kept.leaves * _DAYS[self.grain]
        return (kept.days or 0) + (kept.months or 0) * _DAYS[Grain.MONTH] + (kept.years or 0) * _DAYS[Grain.YEAR]

    def _premade_days(self) -> int:
        return self.premake * _DAYS[self.grain]

    @property
    def name(self) -> str:
        """Table with its schema."""
        return f"{self.table_schema}.{self.table}"


_DAYS = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 30, Grain.QUARTER: 90, Grain.YEAR: 365}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    table: tuple[Policy, ...]

    @model_validator(mode="after")
    def _each_once(self) -> "_File":
        names = [policy.name for policy in self.table]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"declared more than once: {', '.join(doubled)}")
        return self


def read_policies(path: Path = DEFAULT_FILE) -> tuple[Policy, ...]:
    """The policies of a file, in its order.

    Raises:
        ConfigurationError: the file is missing or contradicts itself; every problem is named.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc.strerror}", remedy="see docs/partitions.md") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{path} is not TOML: {exc}", remedy="see docs/partitions.md") from None
    try:
        return _File.model_validate(document).table
    except ValidationError as exc:
        problems = "\n".join(
            f"- {_place(document, error['loc'])}: {error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors()
        )
        raise ConfigurationError(
            f"{path} cannot be used, {exc.error_count()} problem(s):\n{problems}", remedy="see docs/partitions.md"
        ) from None


def policies_of(settings: Settings) -> tuple[Policy, ...]:
    """The policies of this installation.

    Raises:
        ConfigurationError: see `read_policies`.
    """
    return read_policies(settings.partitions or DEFAULT_FILE)


def facts_and_summary(policies: Sequence[Policy]) -> tuple[Policy, Policy]:
    """The policies of the two tables that a load fills together.

    Raises:
        ConfigurationError: one of them has none.
    """
    by_name = {policy.name: policy for policy in policies}
    missing = [name for name in LOADED_TOGETHER if name not in by_name]
    if missing:
        raise ConfigurationError(f"no policy for {', '.join(missing)}", remedy="add it to the file of CAURI_PARTITIONS")
    facts, summary = (by_name[name] for name in LOADED_TOGETHER)
    return facts, summary


def partner_of(policy: Policy, policies: Sequence[Policy]) -> Policy | None:
    """The table that a load fills together with this one."""
    if policy.name not in LOADED_TOGETHER:
        return None
    return next((other for other in policies if other.name in LOADED_TOGETHER and other.name != policy.name), None)


def _place(document: dict[str, object], location: tuple[int | str, ...]) -> str:
    """Where a problem is: the table by its name instead of its number."""
    parts = list(location)
    if len(parts) > 1 and parts[0] == "table" and isinstance(parts[1], int):
        tables = document.get("table")
        entry = tables[parts[1]] if isinstance(tables, list) else {}
        named = entry.get("table") if isinstance(entry, dict) else None
        parts[:2] = [str(named or f"table {parts[1] + 1}")]
    return ".".join(map(str, parts)) or "file"
