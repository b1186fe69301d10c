"""The rows of one subject as compact bytes: one column after another, whole numbers as offsets from their minimum.

A channel is one array of 64-bit words over all rows, grouped by subject. Of each channel a frame keeps the subject's
minimum, the number of bytes its range needs (none for a constant) and that many byte planes; text follows as UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.errors import DataError, IntegrityError

_WHOLE = {str(t): t for t in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32())}
_FLOAT = {"float": pa.float32(), "double": pa.float64()}
_TYPES = {**_WHOLE, **_FLOAT, "bool": pa.bool_(), "string": pa.string()}
_WIDTH_LIMITS = np.array([0, *(256**k - 1 for k in range(1, 8))], dtype=np.uint64)


@dataclass(frozen=True)
class SealedColumn:
    """Name and Arrow type of a sealed column, and whether any value of this batch is null."""

    name: str
    type: str
    nullable: bool

    @property
    def channels(self) -> int:
        """How many arrays of words carry it: values or text lengths, and validity where some are null."""
        return 2 if self.nullable else 1


def columns(table: pa.Table) -> tuple[SealedColumn, ...]:
    """The columns of a table, as they would be sealed.

    Raises:
        DataError: a column has a type that cannot be sealed.
    """
    wrong = [f"{f.name} ({f.type})" for f in table.schema if str(f.type) not in _TYPES]
    if wrong:
        raise DataError(
            f"These columns cannot be sealed: {', '.join(wrong)}.", hint=f"Cast to one of {', '.join(_TYPES)}."
        )
    return tuple(SealedColumn(f.name, str(f.type), table[f.name].null_count > 0) for f in table.schema)


def encode(table: pa.Table, starts: np.ndarray, rows: int, schema: Sequence[SealedColumn]) -> Iterator[bytes]:
    """One frame per subject; the `rows` rows are grouped by subject and `starts` holds the first row of each.

    The schema may call a column nullable that has no null here: these rows may be a part of many.
    """
    if not len(starts):
        return
    ends = np.append(starts[1:], rows)
    channels, texts = _channels(table, schema)
    heads = _heads(channels, [cuts for _, cuts in texts], starts, ends)
    lows, widths = heads["lows"]["minimum"].T, heads["lows"]["width"]
    parts = (_planes(c, np.repeat(low, ends - starts), w) for c, low, w in zip(channels, lows, widths.T, strict=True))
    planes = np.concatenate([np.zeros((0, rows), np.uint8), *parts])
    kept, used = _used(widths)
    packed, size = memoryview(heads.tobytes()), heads.itemsize
    utf8 = [(text, cuts.tolist()) for text, cuts in texts]
    for i, (a, b) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        values = planes[used[kept[i]], a:b].tobytes()
        yield b"".join((packed[i * size : i * size + size], values, *(text[cuts[a] : cuts[b]] for text, cuts in utf8)))


def decode(frames: Sequence[bytes], schema: Sequence[SealedColumn]) -> tuple[pa.Table, np.ndarray]:
    """The rows of all frames in their order, and how many each frame held.

    Raises:
        IntegrityError: a frame is not as long as its head says.
    """
    heads = _read_heads(frames, sum(c.channels for c in schema), sum(c.type == "string" for c in schema))
    counts, widths = heads["rows"].astype(np.int64), heads["lows"]["width"].astype(np.int64)
    planes = np.zeros((int(widths.max(axis=0, initial=0).sum()), int(counts.sum())), dtype=np.uint8)
    size, row = heads.itemsize, 0
    kept, used = _used(widths)
    for frame, rows, kind in zip(frames, counts.tolist(), kept, strict=True):
        wanted = used[kind]
        body = np.frombuffer(frame, np.uint8, rows * len(wanted), size)
        planes[wanted, row : row + rows] = body.reshape(len(wanted), rows)
        row += rows
    parts = np.split(planes, np.cumsum(widths.max(axis=0, initial=0))[:-1]) if widths.shape[1] else []
    words = [_words(part, np.repeat(low, counts)) for part, low in zip(parts, heads["lows"]["minimum"].T, strict=True)]
    begins, lengths = size + counts * widths.sum(axis=1), heads["texts"].astype(np.int64)
    return _table(schema, words, _texts(frames, begins, lengths)), counts


def _used(widths: np.ndarray) -> tuple[list[bytes], dict[bytes, np.ndarray]]:
    """Which of all channels' byte planes, one channel after another, a frame has: `used[kept[i]]` for frame `i`."""
    firsts = np.cumsum(np.append(0, widths.max(axis=0, initial=0))).tolist()
    packed, channels = widths.astype(np.uint8).tobytes(), widths.shape[1]
    kept = [packed[at : at + channels] for at in range(0, len(widths) * channels, channels or 1)]
    kept = kept or [b""] * len(widths)
    used = {
        kind: np.array([first + k for width, first in zip(kind, firsts, strict=False) for k in range(width)], np.int64)
        for kind in set(kept)
    }
    return kept, used


def _read_heads(frames: Sequence[bytes], channels: int, texts: int) -> np.ndarray:
    """The heads of all frames: rows, bytes of the texts, minima and widths of the channels."""
    kind = _head(channels, texts)
    if any(len(f) < kind.itemsize for f in frames):
        raise _torn()
    heads = np.frombuffer(b"".join([f[: kind.itemsize] for f in frames]), kind)
    widths, rows = heads["lows"]["width"].sum(axis=1, dtype=np.int64), heads["rows"].astype(np.int64)
    claimed = kind.itemsize + rows * widths + heads["texts"].sum(axis=1, dtype=np.int64)
    # lengths are held against the head before anything is cut by them
    if [len(f) for f in frames] != claimed.tolist():
        raise _torn()
    return heads


def _texts(frames: Sequence[bytes], begins: np.ndarray, lengths: np.ndarray) -> list[bytes]:
    """The UTF-8 of every text column, over all frames; it stands at the end of each, column after column."""
    ends = begins[:, None] + np.cumsum(lengths, axis=1)
    cuts = zip((ends - lengths).T.tolist(), ends.T.tolist(), strict=True)
    return [b"".join(f[a:b] for f, a, b in zip(frames, left, right, strict=True)) for left, right in cuts]


def _torn() -> IntegrityError:
    return IntegrityError(
        "A sealed frame is not as long as its head says.", hint="Run the stage that wrote the file again."
    )


def _head(channels: int, texts: int) -> np.dtype[np.void]:
    """Rows, bytes of each text, then minimum and width of each channel; little-endian, without gaps."""
    low = np.dtype([("minimum", "<i8"), ("width", "u1")])
    return np.dtype([("rows", "<u4"), ("texts", "<u4", (texts,)), ("lows", low, (channels,))])


def _heads(channels: list[np.ndarray], cuts: list[np.ndarray], starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The heads of all frames, each of the rows from its start to its end."""
    heads = np.zeros(len(starts), dtype=_head(len(channels), len(cuts)))
    heads["rows"] = ends - starts
    for i, cut in enumerate(cuts):
        heads["texts"][:, i] = cut[ends] - cut[starts]
    for i, channel in enumerate(channels):
        low, high = np.minimum.reduceat(channel, starts), np.maximum.reduceat(channel, starts)
        span = high.view(np.uint64) - low.view(np.uint64)
        heads["lows"]["minimum"][:, i] = low
        heads["lows"]["width"][:, i] = np.searchsorted(_WIDTH_LIMITS, span, side="left")
    return heads


def _planes(channel: np.ndarray, low: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Byte planes of the offsets, least significant first; as many as the widest frame needs."""
    offsets = (channel.view(np.uint64) - low.view(np.uint64)).astype("<u8", copy=False)
    return offsets.view(np.uint8).reshape(-1, 8).T[: int(widths.max())]


def _words(planes: np.ndarray, low: np.ndarray) -> np.ndarray:
    """The channel of these byte planes."""
    words = low.view(np.uint64).copy()
    for k, plane in enumerate(planes):
        words += plane.astype(np.uint64) << np.uint64(8 * k)
    return words.view(np.int64)


def _channels(
    table: pa.Table, schema: Sequence[SealedColumn]
) -> tuple[list[np.ndarray], list[tuple[memoryview, np.ndarray]]]:
    """Words of every column, and of every text column its UTF-8 with the place where each row begins."""
    words, texts = [], []
    for column in schema:
        array = pa.concat_arrays(table[column.name].chunks) if table.num_rows else pa.array([], _TYPES[column.type])
        if column.nullable:
            words.append(np.asarray(array.is_valid()).astype(np.int64))
        if column.type == "string":
            filled = pc.fill_null(array, "")
            cuts = np.zeros(len(filled) + 1, dtype=np.int64)
            np.cumsum(pc.binary_length(filled).to_numpy(), out=cuts[1:])
            words.append(np.diff(cuts))
            texts.append((memoryview("".join(filled.to_pylist()).encode()), cuts))
        else:
            words.append(_as_words(array, column.type))
    return words, texts


def _as_words(array: pa.Array, kind: str) -> np.ndarray:
    """Whole numbers as they are, floats by their bits; a null is a zero."""
    if kind in _FLOAT:
        # by its bits a NaN and a negative zero come back as they were
        bits = np.asarray(pc.fill_null(array, 0.0))
        return np.asarray(bits.view(np.uint32) if kind == "float" else bits.view(np.int64), dtype=np.int64)
    return np.asarray(pc.fill_null(array.cast(pa.int64()), 0))


def _table(schema: Sequence[SealedColumn], words: list[np.ndarray], texts: list[bytes]) -> pa.Table:
    """Columns from their words and texts; the inverse of `_channels`."""
    left, text, out = iter(words), iter(texts), {}
    for column in schema:
        valid = next(left).astype(bool) if column.nullable else None
        array = _text(next(left), next(text)) if column.type == "string" else _from_words(next(left), column.type)
        out[column.name] = array if valid is None else pc.if_else(pa.array(valid), array, pa.scalar(None, array.type))
    return pa.table(out)


def _text(lengths: np.ndarray, utf8: bytes) -> pa.Array:
    cuts = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=cuts[1:])
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(cuts), pa.py_buffer(utf8))


def _from_words(words: np.ndarray, kind: str) -> pa.Array:
    if kind == "double":
        return pa.array(words.view(np.float64))
    if kind == "float":
        return pa.array(words.astype(np.uint32).view(np.float32))
    return pa.array(words).cast(_TYPES[kind])
