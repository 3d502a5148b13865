"""Step 2, Read: what the typed columns of a Parquet file may hold that neither Python nor PostgreSQL can, as text."""

import polars as pl

from engine.marks import MARKED

# The years 1 to 9999, in seconds and in days from 1970. Nanoseconds cannot leave them.
_SECONDS = (-62_135_596_800, 253_402_300_799)
_DAYS = (-719_162, 2_932_896)
_UNITS = {"ms": 1_000, "us": 1_000_000}


def has_text_form(dtype: pl.DataType) -> bool:
    """Whether values of this type can stand in a field."""
    return not (dtype.is_nested() or dtype == pl.Object)


def representable(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with bytes as text (what is none is marked), and moments too where one lies outside the calendar."""
    changed = [series for column in frame.iter_columns() if (series := _representable(column)) is not column]
    return frame.with_columns(changed)


def _representable(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Binary:
        return _decoded(column)
    if column.dtype == pl.Date:
        return _in_calendar(column, *_DAYS)
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_unit in _UNITS:
        unit = _UNITS[column.dtype.time_unit]
        return _in_calendar(column, _SECONDS[0] * unit, _SECONDS[1] * unit)
    return column


def _decoded(column: pl.Series) -> pl.Series:
    try:
        return column.cast(pl.String)
    except pl.exceptions.PolarsError:
        return column.map_elements(lambda value: value.decode(errors=MARKED), return_dtype=pl.String)


def _in_calendar(column: pl.Series, first: int, last: int) -> pl.Series:
    place = column.to_physical()
    inside = place.is_between(first, last)
    if inside.all():
        return column
    nulls = pl.Series(column.name, [None], dtype=column.dtype)
    text = column.zip_with(inside.fill_null(value=False), nulls).cast(pl.String)
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone:
        text = (
            column.zip_with(inside.fill_null(value=False), nulls).dt.convert_time_zone("UTC").dt.strftime("%FT%T%.fZ")
        )
    return text.zip_with(inside.fill_null(value=True), "outside the calendar: " + place.cast(pl.String)).alias(
        column.name
    )
