"""Models and segments in the warehouse: `ml.segment_model`, `ml.client_segment`, and their entry in the ledger."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from engine.load import given_up_on_error
from ml.rfm.model import Model, model_from
from ml.rfm.prototypes import segments
from ml.rfm.rates import in_units
from warehouse.connection import Connection, sql
from warehouse.copy import copy_frame
from warehouse.errors import ConfigurationError
from warehouse.ledger import WorkEntry, close_run, open_run, record_work
from warehouse.lock import WriterLock
from warehouse.queries import query

STORED = pl.Schema(
    {
        "client_ref": pl.Binary,
        "recency": pl.Int32,
        "frequency": pl.Int32,
        "monetary": pl.String,
        "r_score": pl.Int16,
        "f_score": pl.Int16,
        "m_score": pl.Int16,
        "segment": pl.Int16,
        "quintile_segment": pl.Int16,
        "alive_probability": pl.Float64,
        "expected_revenue": pl.Float64,
        "model_version": pl.String,
    }
)


@dataclass(frozen=True)
class Kept:
    """A model and what was measured of it."""

    model: Model
    quality: dict[str, Any]


def model_days(connection: Connection) -> list[date]:
    """The days for which models were fitted, the newest first."""
    return [row[1] for row in _models(connection)]


def model_for(connection: Connection, as_of: date, version: str | None = None) -> Kept:
    """The model called `version`; else the newest of those that were fitted for `as_of` or earlier.

    Raises:
        ConfigurationError: there is none.
        TargetError: it was changed since it was fitted.
    """
    rows = _models(connection)
    if not rows:
        raise ConfigurationError("no segmentation has been fitted", remedy="fit one: cauri rfm fit")
    for row in rows:
        name, day, sha256, document, quality = row
        if name == version or (version is None and day <= as_of):
            return Kept(model_from(document, sha256, name), quality)
    if version is not None:
        raise ConfigurationError(
            f"there is no model {version}; there are {', '.join(row[0] for row in rows)}",
            remedy="choose one of them (--model), or fit one: cauri rfm fit",
        )
    raise ConfigurationError(
        f"every model is of a later day than {as_of}; the oldest is {rows[-1][0]}",
        remedy=f"fit one: cauri rfm fit --as-of {as_of}; or take one that knows what came later: --model {rows[-1][0]}",
    )


def _models(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(query("segments/models")).fetchall()


def days(connection: Connection) -> dict[date, int]:
    """Clients by day of segmentation, the newest first."""
    return {as_of: count for as_of, count, _ in connection.execute(query("segments/history")).fetchall()}


def stored(connection: Connection, as_of: date) -> pl.DataFrame:
    """The segments of a day, with `load_id`, in the order of `client_ref`."""
    rows = connection.execute(query("segments/stored"), (as_of,)).fetchall()
    return pl.DataFrame(rows, schema={**STORED, "load_id": pl.Int32}, orient="row")


def with_minor(found: pl.DataFrame, exponent: int) -> pl.DataFrame:
    """Stored segments with `monetary_minor`, so that a model can be applied to them."""
    minor = [int(Decimal(value).scaleb(exponent)) for value in found["monetary"]]
    return found.with_columns(pl.Series("monetary_minor", minor, dtype=pl.Int64))


def to_store(segmented: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Segmented clients as they are stored."""
    exponent = model.scaling.exponent
    return segmented.with_columns(
        monetary=pl.Series([str(in_units(minor, exponent)) for minor in segmented["monetary_minor"]], dtype=pl.String),
        model_version=pl.lit(model.version),
    ).match_to_schema(STORED, extra_columns="ignore")


@dataclass(frozen=True)
class Segmentation:
    """The segments of a day: `command` made them, by a `model` that it may have fitted (`is_fit`)."""

    command: str
    as_of: date
    clients: pl.DataFrame
    kept: Kept
    is_fit: bool


def store(url: str, connection: Connection, lock: WriterLock, made: Segmentation) -> int | None:
    """Write the segments of a day in the place of those it had, with their model and their entry in the ledger, in one
    transaction; return the number of the run, or `None` if the day has these very segments.

    Raises:
        TransientTargetError: the writer lock was lost.
    """
    new = to_store(made.clients, made.kept.model)
    old = stored(connection, made.as_of)
    if old.drop("load_id").equals(new):
        return None
    work_id, began = _work_identity(made.as_of, new, old), datetime.now(UTC)
    with given_up_on_error(url, work_id, began):
        run_id = open_run(connection, made.command, work_id, began)
        lock.lead(run_id)
        with connection.transaction():
            _write(connection, made, new, run_id)
            record_work(connection, work_id, run_id, WorkEntry(f"segments {made.as_of}", "segments", new.height))
            close_run(connection, run_id, "done", {"segments": {"as_of": str(made.as_of), "clients": new.height}})
    return run_id


def _write(connection: Connection, made: Segmentation, rows: pl.DataFrame, run_id: int) -> None:
    model = made.kept.model
    if made.is_fit:
        values = (model.version, model.as_of, model.sha256, model.document, json.dumps(made.kept.quality), run_id)
        connection.execute(query("segments/keep_model"), values)
    for segment in segments():
        told = {name: value for name, value in asdict(segment).items() if name != "prototype"}
        connection.execute(query("segments/describe"), told)
    connection.execute(query("segments/remove"), (made.as_of,))
    dated = rows.with_columns(as_of=pl.lit(made.as_of), load_id=pl.lit(run_id, pl.Int32))
    copy_frame(connection, sql.Identifier("ml", "client_segment"), dated)


def _work_identity(as_of: date, new: pl.DataFrame, old: pl.DataFrame) -> str:
    """Of what is written and of whose place it takes: a day may get the same segments again after others."""
    before = int(old["load_id"][0]) if old.height else None
    text = new.with_columns(pl.col("client_ref").bin.encode("hex")).write_csv()
    return hashlib.sha256(f"segments {as_of} after {before or 'nothing'}\n{text}".encode()).hexdigest()
