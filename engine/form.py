"""The form of a file: how its rows are written and read. Kept with refused rows, so that they can be read again."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from engine.dialect import Dialect
from engine.feeds import Feed
from engine.mapping import Source
from engine.read import Reader

# Without a time unit: what the text of a value may be turned into again. Columns of other types stay text.
_NUMBERS = (
    pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64
)  # fmt: skip
_PLAIN: dict[str, pl.DataType] = {str(dtype()): dtype() for dtype in (*_NUMBERS, pl.Boolean, pl.Date)}


@dataclass(frozen=True)
class Form:
    """Headings in their order, how fields are told apart and numbers written, and the mapping to canonical columns.

    `delimiter` is None and `types` (heading -> type) is filled for tables of typed columns.
    """

    headings: tuple[str, ...]
    delimiter: str | None = None
    decimal_comma: bool = False
    timezone: str | None = None
    types: dict[str, str] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Equal for equal forms."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def dialect(self) -> Dialect | None:
        """For lines of text; None for tables."""
        if self.delimiter is None:
            return None
        return Dialect("utf-8", self.delimiter, self.decimal_comma, self.headings)

    def source(self, feed: Feed) -> Source:
        """The mapping, as `feeds.toml` had it."""
        return Source(feed, columns=self.columns, timezone=self.timezone)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Form":
        return cls(**{**document, "headings": tuple(document["headings"])})


def form_of(reader: Reader) -> Form:
    """The form of an opened file."""
    dialect, source = reader.dialect, reader.file.source
    types = {name: text for name, dtype in reader.types.items() if (text := _type_text(dtype))}
    return Form(
        reader.headings,
        dialect.delimiter if dialect else None,
        bool(dialect and dialect.decimal_comma),
        source.timezone,
        types,
        dict(source.columns),
    )


def _type_text(dtype: pl.DataType) -> str | None:
    if isinstance(dtype, pl.Datetime):
        return f"Datetime {dtype.time_unit} {dtype.time_zone or ''}".strip()
    if isinstance(dtype, pl.Decimal):
        return f"Decimal {dtype.precision} {dtype.scale}"
    return str(dtype) if str(dtype) in _PLAIN else None


def typed(texts: pl.DataFrame, form: Form) -> list[pl.DataFrame]:
    """Rows of text with the types that their table had: those that can be turned back, and those that cannot, as text.

    A value is turned back only if nothing of it is lost.
    """
    columns = {name: kind for name, kind in form.types.items() if name in texts.columns}
    if not columns:
        return [texts]
    values = texts.with_columns(_turned_back(texts[name], kind) for name, kind in columns.items())
    lost = pl.any_horizontal(texts[name].is_not_null() & values[name].is_null() for name in columns)
    is_lost = texts.select(lost.alias("lost")).to_series()
    return [frame for frame in (values.filter(~is_lost), texts.filter(is_lost)) if frame.height]


def _turned_back(text: pl.Series, kind: str) -> pl.Series:
    name, *details = kind.split(" ")
    if name == "Datetime":
        return _moments(text, details)
    if name == "Decimal":
        value = text.cast(pl.Decimal(int(details[0]), int(details[1])), strict=False)
        return value.set(value.cast(pl.String) != text, None)
    if name == "Boolean":
        return text.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    if name == "Date":
        return text.str.to_date("%F", strict=False)
    return text.cast(_PLAIN[name], strict=False)


def _moments(text: pl.Series, details: list[str]) -> pl.Series:
    unit, *zone = details
    end = "Z" if zone else ""
    moments: pl.Series = text.str.to_datetime(f"%F %T%.f{end}", time_unit=unit, strict=False)  # type: ignore[arg-type]
    return moments.dt.replace_time_zone("UTC").dt.convert_time_zone(zone[0]) if zone else moments
