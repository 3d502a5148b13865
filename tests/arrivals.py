"""A sample as it arrives: its rows, byte for byte, dealt out to other files in the form that they had."""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow as pa

Packing = Literal["", ".gz", ".zst"]
UTF8_MARK, UTF16_MARK = b"\xef\xbb\xbf", b"\xff\xfe"


@dataclass(frozen=True)
class Sheet:
    """The rows of one file: lines of text (Latin-1 keeps every byte, also of broken ones), or those of a table."""

    feed: str
    ending: str
    encoding: str
    heading: str
    rows: Sequence[str] | pl.DataFrame

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def ids(self) -> list[str]:
        """What stands in the first column of each row."""
        if isinstance(self.rows, pl.DataFrame):
            return self.rows.to_series(0).fill_null("").to_list()
        return [row.split(self._separator, 1)[0] for row in self.rows]

    @cached_property
    def versions(self) -> list[Any]:
        """What stands in the last column of each row."""
        if isinstance(self.rows, pl.DataFrame):
            return self.rows.to_series(-1).to_list()
        return [row.rsplit(self._separator, 1)[-1] for row in self.rows]

    @property
    def contents(self) -> list[Any]:
        """Each row whole."""
        return self.rows.rows() if isinstance(self.rows, pl.DataFrame) else list(self.rows)

    @property
    def _separator(self) -> str:
        return next(each for each in "\t;|," if each in self.heading)

    def write(self, folder: Path, name: str, chosen: Sequence[int], packing: Packing = "") -> Path:
        """A file of the chosen rows, in the order given; a table is packed inside, whatever `packing` says."""
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.rows, pl.DataFrame):
            path = folder / f"{self.feed}_{name}.parquet"
            self.rows[list(chosen)].write_parquet(path)
            return path
        text = self.heading + "".join(self.rows[place] for place in chosen)
        path = folder / f"{self.feed}_{name}{self.ending}{packing}"
        path.write_bytes(packed(text.encode(self.encoding), packing))
        return path


def packed(data: bytes, packing: Packing) -> bytes:
    """Bytes as gzip or zstd packs them."""
    if packing == ".gz":
        # The same rows are to be the same bytes.
        return gzip.compress(data, mtime=0)
    return pa.compress(data, codec="zstd", asbytes=True) if packing == ".zst" else data


def sheets(folder: Path) -> list[Sheet]:
    """The files of a sample, in the order of their names."""
    return [_sheet(path) for path in sorted(folder.iterdir()) if path.name != "truth.json"]


def _sheet(path: Path) -> Sheet:
    feed = path.name.split(".")[0].split("_20")[0]
    if path.suffix == ".parquet":
        return Sheet(feed, ".parquet", "", "", pl.read_parquet(path))
    data = _unpacked(path)
    encoding = "utf-16-le" if data.startswith(UTF16_MARK) else "latin-1"
    heading, *rows = _lines(data.decode(encoding))
    if encoding == "latin-1" and ";" not in heading:
        # Of a few lines with one that is damaged nobody could tell the encoding: the mark tells it.
        heading = UTF8_MARK.decode(encoding) + heading.removeprefix(UTF8_MARK.decode(encoding))
    return Sheet(feed, "".join(path.suffixes[:1]), encoding, heading, rows)


def _unpacked(path: Path) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        with pa.input_stream(path, compression="zstd") as stream:
            data: bytes = stream.read()
            return data
    return path.read_bytes()


def _lines(text: str) -> Iterator[str]:
    """Rows with their line ends; a quoted field may hold some of its own."""
    row = ""
    for line in text.splitlines(keepends=True) if "\r" in text else _split(text):
        row += line
        if row.count('"') % 2 == 0:
            yield row
            row = ""


def _split(text: str) -> Iterator[str]:
    # Not `splitlines`: it also splits at characters that end no line of a file.
    return (f"{line}\n" for line in text.removesuffix("\n").split("\n"))
