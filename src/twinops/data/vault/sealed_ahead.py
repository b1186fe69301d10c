"""A sealed file that is read once from its begin on, some frames at a time, for whoever asks about rising subjects.

What lies behind is let go, so memory does not grow with the file. Whoever asks about somebody behind begins anew.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from twinops.data.vault.sealed_file import SealedFile, checked, damage, named, rising

FRAMES = 2_048
"""Frames that are read at one time."""
BUFFER = 2**20
"""Bytes that are read ahead of them."""


@dataclass
class FramesAhead:
    """The place in one file: frames that were read and may still be asked about."""

    path: Path
    dataset: str
    _batches: Iterator[pa.RecordBatch] = field(init=False, repr=False)
    _seen: SealedFile = field(init=False, repr=False)
    _behind: bytes = field(default=b"", repr=False)
    """Up to here frames were let go."""
    _last: bytes = field(default=b"", repr=False)
    """The last that was read."""

    def __post_init__(self) -> None:
        self._begin()

    def of(self, sids: Sequence[bytes]) -> SealedFile:
        """The frames of these subjects and of those between them, as `SealedFile.of` has them.

        Raises:
            IntegrityError: it is no sealed file, or not the one that its place says.
        """
        if not sids:
            return SealedFile(self.path, self._seen.label, [], [])
        if sids[0] <= self._behind:
            self._begin()
        with damage(self.path):
            while self._last < sids[-1] and (batch := next(self._batches, None)) is not None:
                self._take(batch)
        first = bisect_left(self._seen.sids, sids[0])
        if first:
            self._behind = self._seen.sids[first - 1]
        label, kept, frames = self._seen.label, self._seen.sids[first:], self._seen.frames[first:]
        self._seen = SealedFile(self.path, label, kept, frames)
        upto = bisect_right(kept, sids[-1])
        return SealedFile(self.path, label, kept[:upto], frames[:upto])

    def _begin(self) -> None:
        with damage(self.path):
            # as it is read, not before: a file has one row group, and that is as large as the file
            file = pq.ParquetFile(self.path, buffer_size=BUFFER, pre_buffer=False)
            label = checked(file.schema_arrow.metadata, file.metadata.num_rows)
            self._batches = file.iter_batches(batch_size=FRAMES, columns=["sid", "frame"], use_threads=False)
        self._seen = named(SealedFile(self.path, label, [], []), self.dataset)
        self._behind = self._last = b""

    def _take(self, batch: pa.RecordBatch) -> None:
        sids, frames = batch["sid"].to_pylist(), batch["frame"].to_pylist()
        rising(self.path, sids, self._last)
        if sids:
            self._last = sids[-1]
        self._seen = SealedFile(self.path, self._seen.label, self._seen.sids + sids, self._seen.frames + frames)
