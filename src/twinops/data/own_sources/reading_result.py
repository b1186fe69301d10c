"""What was read of a declared source; several that fill one table keep their places apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.reading.reading import Reading

APART = 2_000_000_000
"""Places of a second source that is read together with another begin here."""


@dataclass(frozen=True)
class OwnReading(Reading):
    """A batch of a declared source, with the SHA-256 of what it was read from and how many answers were lost.

    `others` are the digests of further files that it follows from, by month.
    """

    digest: str = ""
    lost: dict[str, int] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)


def numbered_apart(readings: Sequence[OwnReading]) -> pa.Table:
    """The refused rows of all of them, told apart by their places."""
    refused = [
        r.set_column(0, "place", pc.add(r["place"].cast(pa.int64()), i * APART).cast(pa.string()))
        for i, r in enumerate(read.refused for read in readings)
    ]
    return pa.concat_tables(refused)
