"""Rows of some subjects on their way to frames: sealed here, or by workers who ask for these keys alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.data.vault import encoding
from twinops.data.vault.sealed_file import Label, encrypted
from twinops.ports import SubjectKeys

FRAMES = pa.schema([("frame", pa.binary())])
"""What comes of packed blocks: the encrypted frames, subject after subject."""
_STARTS, _SIDS = b"twinops.starts", b"twinops.sids"


@dataclass(frozen=True)
class Block:
    """Rows grouped by subject, where each subject's begin, how many rows there are, and the subjects' sids."""

    values: pa.Table
    starts: np.ndarray
    rows: int
    sids: list[str]

    def sealed(self, label: Label, held: Mapping[str, bytes]) -> Iterator[bytes]:
        """Each subject's frame under its key."""
        frames = encoding.encode(self.values, self.starts, self.rows, label.columns)
        yield from encrypted(label, map(bytes.fromhex, self.sids), frames, (held[sid] for sid in self.sids))

    def packed(self) -> bytes:
        """For the way to a worker; it holds no key."""
        starts = np.append(self.starts, self.rows).astype(np.int64).tobytes()
        table = self.values.replace_schema_metadata({_STARTS: starts.hex(), _SIDS: "".join(self.sids)})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        return bytes(sink.getvalue())

    @classmethod
    def unpacked(cls, packed: bytes) -> Block:
        """As it was."""
        table = pa.ipc.open_stream(packed).read_all()
        said = table.schema.metadata
        starts = np.frombuffer(bytes.fromhex(said[_STARTS].decode()), np.int64)
        sids = said[_SIDS].decode()
        return cls(table, starts[:-1], int(starts[-1]), [sids[n : n + 32] for n in range(0, len(sids), 32)])


@dataclass(frozen=True)
class SealsBlocks:
    """What a worker does with packed blocks: it asks for the keys of their subjects, and keeps none."""

    label: Label
    keys: SubjectKeys

    def __call__(self, blocks: pa.Table) -> pa.Table:
        """`FRAMES`."""
        found: list[bytes] = []
        for packed in blocks["block"].to_pylist():
            block = Block.unpacked(packed)
            found += block.sealed(self.label, self.keys.subject_keys(block.sids))
        return pa.table({"frame": pa.array(found, pa.binary())}, schema=FRAMES)
