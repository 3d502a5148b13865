"""Frames into bytes that a page can hold, and that its script unfolds (`assets/rows.js`).

Each column is integers from 0: days since 1970, places in a list of words, or numbers less their least, times a scale
that leaves no decimals. 0 is no value where a column has such. The lowest bytes of all rows come first, then the next
ones: so that neighbours are alike, which gzip makes small.
"""

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from dashboards.report.reading import UNIT
from dashboards.tiles import Column

_LEVEL = 9


@dataclass(frozen=True)
class _Packed:
    head: dict[str, Any]
    body: bytes


def packed(rows: Mapping[str, pl.DataFrame], columns: Mapping[str, Column]) -> str:
    """All frames as text: base64 of gzip of a line of JSON, and the bytes that it describes."""
    tables, bodies = {}, []
    for view, frame in rows.items():
        parts = [_column(columns[name], frame[name]) for name in frame.columns]
        tables[view] = {"rows": frame.height, "columns": [part.head for part in parts]}
        bodies += [part.body for part in parts]
    line = json.dumps(tables, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
    return folded(line + b"".join(bodies))


def folded(data: bytes) -> str:
    """Gzip in base64, the same for the same bytes."""
    return base64.b64encode(gzip.compress(data, _LEVEL, mtime=0)).decode("ascii")


def _column(column: Column, values: pl.Series) -> _Packed:
    head: dict[str, Any] = {"name": column.name}
    if column.type == "text":
        words = sorted(values.drop_nulls().unique())
        codes = (
            values.replace_strict(words, range(len(words)), return_dtype=pl.Int64) if words else values.cast(pl.Int64)
        )
        head["words"] = words
    elif column.type == "date":
        codes = values.cast(pl.Date).cast(pl.Int32).cast(pl.Int64)
        head["days"] = True
    else:
        codes, scale = _unscaled(column, values.cast(pl.Int64))
        if scale > 1:
            head["scale"] = scale
    return _planes(head, codes)


def _unscaled(column: Column, values: pl.Series) -> tuple[pl.Series, int]:
    """Without zeros at the end that all of them have: francs need no decimals."""
    scale = UNIT if column.type in ("amount", "number") else 1
    while scale > 1 and (values.drop_nulls() % 10 == 0).all():
        values, scale = values // 10, scale // 10
    return values, scale


def _planes(head: dict[str, Any], codes: pl.Series) -> _Packed:
    has_gaps = codes.null_count() > 0
    least = int(codes.min() or 0)  # type: ignore[arg-type]
    numbers = (codes - least + has_gaps).fill_null(0).to_numpy().astype("<u8")
    width = (int(numbers.max(initial=0)).bit_length() + 7) // 8
    if least:
        head["least"] = least
    if has_gaps:
        head["gaps"] = True
    head["width"] = width
    planes = numbers.view(np.uint8).reshape(-1, 8)[:, :width]
    return _Packed(head, planes.T.tobytes())
