"""What was read of a declared source; several that fill one table keep their places apart."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.receipts.netting import APART
from twinops.data.reading.reading import UNSCORED, Reading


@dataclass(frozen=True)
class OwnReading(Reading):
    """A batch of a declared source, with the SHA-256 of what it was read from and how many answers were lost.

    `last`: why the last record of all was refused; empty where it was not.
    """

    digest: str = ""
    lost: dict[str, int] = field(default_factory=dict)
    last: str = ""


NAMED_AGAIN = "named_before"
"""Further rows about somebody of whom one row is enough."""


def folded(readings: Sequence[OwnReading], *, once: str | None) -> OwnReading:
    """Sources of one kind as one; with `once` only the first row of each of that column's values."""
    if len(readings) == 1:
        return readings[0]
    lost = sum((Counter(r.lost) for r in readings), Counter[str]())
    rows = pa.concat_tables([r.rows.replace_schema_metadata(None) for r in readings])
    kept = first_of_each(rows, once) if once else rows
    again = Counter({NAMED_AGAIN: rows.num_rows - kept.num_rows})
    meta = {UNSCORED: json.dumps(dict(sorted(lost.items()))).encode()} if lost else None
    return OwnReading(
        kept.replace_schema_metadata(meta),
        sum(r.in_file for r in readings),
        tuple(dict.fromkeys(c for r in readings for c in r.dropped)),
        numbered_apart(readings),
        dict(sorted((sum((Counter(r.left_out) for r in readings), Counter[str]()) + again).items())),
        lost=dict(sorted(lost.items())),
    )


def first_of_each(rows: pa.Table, name: str) -> pa.Table:
    """The earliest row of each value; of one moment the first."""
    rows = rows.take(pc.sort_indices(rows["time"]))
    numbered = pa.table({"who": rows[name], "row": pa.array(range(rows.num_rows), pa.int64())})
    return rows.take(numbered.group_by("who").aggregate([("row", "min")])["row_min"].combine_chunks().sort())


def numbered_apart(readings: Sequence[OwnReading]) -> pa.Table:
    """The refused rows of all of them, told apart by their places."""
    refused = [
        r.set_column(0, "place", pc.add(r["place"].cast(pa.int64()), i * APART).cast(pa.string()))
        for i, r in enumerate(read.refused for read in readings)
    ]
    return pa.concat_tables(refused)
