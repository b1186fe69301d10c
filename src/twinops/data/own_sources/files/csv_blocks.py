"""Blocks of a CSV file: what has no trap in it is cut by Arrow at once, all else record by record.

A block has no trap when nothing in it is quoted, all its lines are ended alike, have all their cells and are
shorter than `MAX_RECORD`, and none is blank. Both ways find the same records in the same places.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Generator
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files import opening
from twinops.data.own_sources.files.cells import MAX_CELL
from twinops.data.reading.csv_records import MAX_RECORD, Shape

BLOCK = 4 * 2**20
FIRST = 2**16
"""The header is in it, so that it is read line by line."""
_BYTEWISE = ("utf-8", "utf-8-sig", "cp1250", "cp1252")
"""Encodings in which a line's end is one byte that stands for nothing else."""
_MARK = b"\xef\xbb\xbf"
LinesOf = Callable[[BinaryIO, str, int], Generator[str]]
"""Lines of bytes in an encoding, of which so many bytes went before."""
_BLANKABLE = " \t\v\f"


class Blocks:
    """Lines of an open file, or whole blocks of them where the last one ended. `lines_of` makes text of bytes."""

    def __init__(self, source: DeclaredSource, file: BinaryIO, encoding: str, lines_of: LinesOf) -> None:
        self._source, self._file, self._encoding, self._lines_of = source, file, encoding, lines_of
        self._left, self._next, self._size = deque[str](), b"", 0
        self._rest = None if encoding in _BYTEWISE else lines_of(file, encoding, 0)

    def __iter__(self) -> Blocks:
        return self

    def __next__(self) -> str:
        while not self._left:
            if self._rest is not None:
                return next(self._rest)
            if not self.peek():
                if self._rest is None:
                    raise StopIteration
                continue
            self._left.extend(self._lines_of(io.BytesIO(self.taken()), self._encoding, 0))
        return self._left.popleft()

    def peek(self) -> bytes:
        """The block that comes next, whole lines all; nothing inside of one, at the end, or where none can be told."""
        if self._left or self._rest is not None:
            return b""
        self._next = self._next or self._read()
        return self._next

    def _read(self) -> bytes:
        """Whole lines; what follows is left to be read line by line where they have no end that can be told."""
        with opening.whole(self._source):
            block = self._file.read(BLOCK if self._size else min(BLOCK, FIRST))
            block += self._file.readline(MAX_RECORD + 2) if block and not block.endswith(b"\n") else b""
            more = self._file.read(1) if block and not block.endswith(b"\n") else b""
        if block and self._encoding == "utf-8-sig":
            block, self._encoding = block.removeprefix(_MARK), "utf-8"
        if more:
            rest = cast(BinaryIO, io.BufferedReader(_Rest(block + more, self._file)))
            self._rest = self._lines_of(rest, self._encoding, self._size)
            return b""
        self._size += len(block)
        if self._size > self._source.said.max_bytes:
            raise opening.too_large(self._source, self._size)
        return block

    def close(self) -> None:
        """Let go of the file, which is its opener's to close."""
        if self._rest is not None:
            self._rest.close()

    def taken(self) -> bytes:
        """The block that was looked at; the next one comes after it."""
        found, self._next = self._next, b""
        return found

    def cut(self, shape: Shape, line: int) -> tuple[pa.Table, int] | None:
        """Records of the next block, in lines below `line` (place, cells to be read), and its lines; None: a trap."""
        block = self.peek()
        ends = _ends(block)
        if ends is None or not _simple(shape):
            return None
        table = _table(block, shape, self._encoding)
        if table is None or len(ends) != table.num_rows or (shape.separator in _BLANKABLE and _blank(table)):
            return None
        self.taken()
        places = pa.array(np.arange(line + 1, line + 1 + len(ends), dtype=np.int64))
        kept = table.select([str(i) for i in shape.read])
        return kept.add_column(0, "place", places), len(ends)


class _Rest(io.RawIOBase):
    """Bytes that were read already, and then the file."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head, self._file = head, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        part = self._head[: len(view)] or self._file.read(len(view))
        self._head = self._head[len(part) :]
        view[: len(part)] = part
        return len(part)


def _simple(shape: Shape) -> bool:
    """Arrow can cut such records: one sign between cells, two cells at least."""
    return shape.width > 1 and len(shape.separator.encode()) == 1 and shape.separator != " "


def _ends(block: bytes) -> np.ndarray | None:
    """Where the lines end, if all end alike, none is empty or too long, and nothing is quoted."""
    returns = block.count(b"\r")
    if not block or b'"' in block or b"\0" in block or returns != block.count(b"\r\n"):
        return None
    if not block.endswith(b"\n"):
        block += b"\n"  # the file's last line
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    lengths = np.diff(ends, prepend=-1) - 1
    if returns not in (0, len(ends)) or lengths.min() <= bool(returns) or lengths.max() > MAX_RECORD:
        return None
    return ends


def _table(block: bytes, shape: Shape, encoding: str) -> pa.Table | None:
    """All cells to be read as text; None where a line has more or fewer cells, or a cell is none."""
    try:
        data = block if encoding == "utf-8" else block.decode(encoding).encode()
        names = [str(i) for i in range(shape.width)]
        table = arrow_csv.read_csv(
            io.BytesIO(data),
            arrow_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            arrow_csv.ParseOptions(delimiter=shape.separator, quote_char=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[str(i) for i in sorted(set(shape.read))],
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    longest = max((pc.max(pc.utf8_length(c)).as_py() or 0 for c in table.columns), default=0)
    return table if longest <= MAX_CELL else None


def _blank(table: pa.Table) -> bool:
    """Where a blank separates, a line of separators alone is no record; those with nothing to be read are looked at."""
    nothing = [pc.equal(pc.utf8_trim_whitespace(c), "") for c in table.columns]
    found = nothing[0]
    for one in nothing[1:]:
        found = pc.and_(found, one)
    return bool(pc.any(found).as_py())
