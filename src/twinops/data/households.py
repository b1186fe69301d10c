"""Which households there are, and the same few of them from every source when only a sample is wanted."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.door import BatchRead, BatchRequest, enter
from twinops.data.schema import Column
from twinops.ports import Engine

_SQL = "SELECT DISTINCT household_id FROM transactions_file WHERE household_id IS NOT NULL ORDER BY household_id"


def households(engine: Engine, asked: BatchRequest, *, sample: int | None) -> pa.Array:
    """The natural ids of everyone with a receipt, or of the `sample` whose keyed hash is smallest (int64, in order).

    The hash makes the sample independent of the order and number of the ids: asking for more keeps those one had.
    """
    enter(engine, asked, "transactions", (Column("household_id", "whole"),))
    everyone = engine.query(_SQL)["household_id"].combine_chunks()
    if sample is None or sample >= len(everyone):
        return everyone
    return pa.array(sorted(sorted(everyone.to_pylist(), key=_draw)[:sample]), everyone.type)


def among(read: BatchRead, kept: pa.Array) -> BatchRead:
    """Only the rows of these households."""
    return replace(read, rows=read.rows.filter(pc.is_in(read.rows["household_id"], kept)))


def _draw(household: int) -> bytes:
    # a key of its own, so that the sample tells nothing about other hashes of the id
    return hashlib.blake2b(str(household).encode(), key=b"twinops sample", digest_size=16).digest()
