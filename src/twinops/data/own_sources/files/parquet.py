"""Parquet, by its footer before anything is unpacked; values become text, so that every source is mapped alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files import opening
from twinops.data.own_sources.files.cells import MAX_CELL, TextCells, asked_columns, known_as, too_many
from twinops.errors import DataError

MAX_GROUPS = 10_000
MAX_COLUMNS = 1_000
MAX_UNPACKED = 32 * 2**30
_BATCH = 65_536


def read(source: DeclaredSource, file: BinaryIO) -> Iterator[TextCells]:
    """The rows of an open file, some at a time.

    Raises:
        DataError: it is not Parquet, is too large once unpacked, a mapped column is missing or of a nested type, or ids
            are floating numbers that no longer tell people apart.
    """
    found, seen = opening.digest(file), 0
    try:
        parquet = pq.ParquetFile(file)
        there = parquet.schema_arrow.names
        known = known_as(source, there)
        wanted, dropped = asked_columns(source, known)
        here = [there[known.index(c)] for c in wanted]
        _bounded(source, parquet, tuple(here))
        plain = frozenset(
            c for c, name in zip(wanted, here, strict=True) if not is_text(parquet.schema_arrow.field(name).type)
        )
        yield TextCells(_numbered({c: pa.array([], pa.string()) for c in wanted}, 0), plain, (), dropped, found)
        for theirs in parquet.iter_batches(batch_size=_BATCH, columns=here, use_threads=False):
            batch = theirs.select(here).rename_columns(list(wanted))
            _refuse_floating_ids(source, batch)
            yield TextCells(
                _numbered({c: as_text(source, c, batch[c]) for c in wanted}, seen), plain, (), dropped, found
            )
            seen += batch.num_rows
            if seen > source.max_rows:
                raise too_many(source)
    except (pa.ArrowException, OSError, MemoryError):
        raise DataError(
            f"{source.where} is not a readable Parquet file.", hint="Copy it again from where it came."
        ) from None


def _numbered(columns: dict[str, pa.Array], seen: int) -> pa.Table:
    rows = len(next(iter(columns.values())))
    return pa.table({"place": pa.array(np.arange(seen + 1, seen + rows + 1, dtype=np.int64)), **columns})


def _refuse_floating_ids(source: DeclaredSource, batch: pa.RecordBatch) -> None:
    """Beyond 2^53 floating numbers stand for several whole ones: ids of several people became one."""
    for theirs in source.said.identities:
        values = batch[theirs]
        if pa.types.is_floating(values.type) and (pc.max(pc.abs(values)).as_py() or 0) > 2**53:
            raise DataError(
                f"{source.where}: column {theirs} holds floating numbers beyond 2^53, which tell ids apart no longer.",
                hint="Export the column as text or as whole numbers.",
            )


def _bounded(source: DeclaredSource, parquet: pq.ParquetFile, wanted: tuple[str, ...]) -> None:
    footer = parquet.metadata
    if footer.num_rows > source.max_rows:
        raise too_many(source)
    if footer.num_row_groups > MAX_GROUPS or footer.num_columns > MAX_COLUMNS:
        raise DataError(
            f"{source.where} says it has {footer.num_row_groups:,} row groups and {footer.num_columns:,} columns; "
            f"at most {MAX_GROUPS:,} and {MAX_COLUMNS:,} are read.",
            hint="Write it again with fewer.",
        )
    # a few kilobytes of Parquet can unpack to gigabytes
    unpacked = sum(
        group.column(i).total_uncompressed_size
        for group in map(footer.row_group, range(footer.num_row_groups))
        for i in range(footer.num_columns)
        if group.column(i).path_in_schema in wanted
    )
    if unpacked > MAX_UNPACKED:
        raise DataError(
            f"{source.where} would unpack to {unpacked:,} bytes; at most {MAX_UNPACKED:,} are read.",
            hint="Split it into monthly files.",
        )


def is_text(type_: pa.DataType) -> bool:
    """Text as somebody wrote it, also when it is stored as a dictionary."""
    inner = type_.value_type if pa.types.is_dictionary(type_) else type_
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner) or pa.types.is_string_view(inner))


def as_text(source: DeclaredSource, name: str, values: pa.Array) -> pa.Array:
    """Values as text: numbers with a point, moments in ISO 8601; texts longer than a cell may be are cut to show it.

    Raises:
        DataError: the column is nested or binary.
    """
    inner = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    type_ = inner.type
    if is_text(type_):
        return pc.utf8_slice_codeunits(inner.cast(pa.string()), 0, MAX_CELL + 1)
    if pa.types.is_timestamp(type_) and type_.tz is not None:
        utc = inner.cast(pa.timestamp("us", "UTC"), safe=False)
        return _each_once(utc, partial(pc.strftime, format="%Y-%m-%dT%H:%M:%S+00:00"))
    if pa.types.is_timestamp(type_):
        local = inner.cast(pa.timestamp("s"), safe=False)
        return _each_once(local, partial(pc.strftime, format="%Y-%m-%dT%H:%M:%S"))
    if pa.types.is_date(type_) or pa.types.is_integer(type_) or pa.types.is_boolean(type_) or pa.types.is_null(type_):
        return inner.cast(pa.string())
    if pa.types.is_float64(type_):
        # by their bits: a zero below nought is another text
        return _each_once(inner.view(pa.int64()), lambda bits: _written(bits.view(type_)))
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return _written(inner)
    raise DataError(
        f"{source.where}: column {name} is {type_}, which is no text, number or time.", hint="Write it as one of those."
    )


def _each_once(values: pa.Array, text: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """The text of each value; every distinct one is written once, as a moment stands on all lines of a receipt."""
    coded = values.dictionary_encode()
    return text(coded.dictionary).take(coded.indices)


def _written(values: pa.Array) -> pa.Array:
    return pa.array([None if v is None else str(v) for v in values.to_pylist()], pa.string())
