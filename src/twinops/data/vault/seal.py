"""Subject-level tables at rest: an ordinary Parquet file of {sid, frame}, each frame under its own subject's key.

Losing a key makes that subject's rows unreadable in every copy of every file (crypto-shredding). A file shows the
number of subjects, their sids and the length of each frame, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.data.elsewhere import workers
from twinops.data.vault import encoding
from twinops.data.vault.blocks import FRAMES, Block, SealsBlocks
from twinops.data.vault.sealed_ahead import FramesAhead
from twinops.data.vault.sealed_file import MOST_FRAME_BYTES, Label, SealedFile, encrypted, label_of, write, writing
from twinops.errors import DataError, IntegrityError
from twinops.ports import KeyStore, SubjectKeys

_ERASED = b"twinops.erased"
_QUARANTINE = "quarantine/"
"""Before the name of a source: in front of its batches that are kept aside."""

ROWS_AT_ONCE = 1_000_000
"""Rows that are copied and cut into frames at one time."""

ROWS_AWAY = 5_000
"""Rows that a worker of an engine seals at one time; a table of no more is sealed here."""

PART_BYTES = 16 * 2**20
"""Sealed bytes that are opened at one time where a table is read in parts: some two million receipt lines."""


@dataclass(frozen=True)
class Which:
    """How files are read, and among whose frames is looked: subjects in order; None: all. A key decides what opens."""

    read: Callable[[Path, str], SealedFile | FramesAhead] = SealedFile.read
    among: tuple[bytes, ...] | None = None

    def file(self, path: Path, dataset: str) -> SealedFile:
        """One file, with the frames of these subjects and those between them alone.

        Raises:
            DataError, IntegrityError: see `SealedFile.read`.
        """
        if self.among is None:
            return SealedFile.read(path, dataset)
        return self.read(path, dataset).of(self.among)


WHOLE = Which()


@dataclass(frozen=True)
class Written:
    """How many subjects and rows are in the file; rows of subjects without a key are not."""

    subjects: int
    rows: int


def write_sealed(table: pa.Table, path: Path, *, dataset: str, keys: KeyStore, subject: str) -> Written:
    """Seal a table, one frame per subject; the file's name is the batch.

    `subject` names the column of natural ids (any type, taken as text), or is `"sid"` for a table made from opened
    ones. A subject's rows keep their order; subjects are ordered by sid. Subjects without a key are left out.

    Raises:
        DataError: a row has no subject, or a column cannot be sealed.
    """
    if table[subject].null_count:
        raise DataError(
            f"{table[subject].null_count} row(s) for {dataset} have no {subject}.", hint="Quarantine them first."
        )
    # natural ids stop here: from now on a row belongs to a sid
    names, row_names = _encoded(table[subject])
    sids = [s.lower() for s in names] if subject == "sid" else keys.subject_ids(names)
    # GDPR art. 17: who was erased has no key, and a rebuild must not bring the rows back
    held = keys.subject_keys(sids)
    there = sorted({s for s in sids if s in held})
    rows, starts = _grouped(there, sids, row_names)
    values = table.drop_columns([subject])
    label = Label(dataset, path.stem, _columns_of(values, rows))
    sealed = _sealed(_Rows(values, rows, starts, there), label, held, keys)
    write(path, label, [bytes.fromhex(s) for s in there], sealed)
    return Written(len(there), len(rows))


@contextmanager
def sealing(
    path: Path, schema: pa.Schema, *, dataset: str, keys: SubjectKeys
) -> Iterator[Callable[[pa.Table], Written]]:
    """Seal a table made from opened ones part by part, by its `sid`; no part has a subject of another, sids rise.

    The same file as `write_sealed` leaves, but that a column has place for nulls where the schema says it may.

    Raises:
        DataError: a part has a subject that does not come after all before it.
    """
    said = (f for f in schema if f.name != "sid")
    label = Label(dataset, path.stem, tuple(encoding.SealedColumn(f.name, str(f.type), f.nullable) for f in said))
    last = ""
    with writing(path, label) as seal:

        def part(table: pa.Table) -> Written:
            nonlocal last
            names, row_names = _encoded(table["sid"])
            if min(names, default="~") <= last:
                raise DataError("Parts of a sealed table are out of order.", hint="Give them by rising sid.")
            last = max(names, default=last)
            held = keys.subject_keys(names)
            there = sorted(s for s in names if s in held)
            rows, starts = _grouped(there, names, row_names)
            sealed = _sealed(_Rows(table.drop_columns(["sid"]), rows, starts, there), label, held, keys)
            seal([bytes.fromhex(s) for s in there], sealed)
            return Written(len(there), len(rows))

        yield part


def read_sealed(paths: Sequence[Path] | Path, *, dataset: str, keys: SubjectKeys, which: Which = WHOLE) -> pa.Table:
    """Open sealed files of one dataset: column `sid` (32 hexadecimal digits) and the value columns.

    Rows come in the order of the files, by sid, then as they were written. Subjects whose key is gone are absent;
    `erased` counts them.

    Raises:
        IntegrityError: a file is not what its place says, or a frame does not open under its subject's key.
    """
    (whole,) = in_parts(paths, dataset=dataset, keys=keys, most_bytes=None, which=which)
    return whole


def in_parts(
    paths: Sequence[Path] | Path,
    *,
    dataset: str,
    keys: SubjectKeys,
    most_bytes: int | None = PART_BYTES,
    which: Which = WHOLE,
) -> Iterator[pa.Table]:
    """The same, some subjects after the other with all their rows, in order of sid: a shop's lines need not fit into
    memory. A part has so many sealed bytes at most, or one subject; None: all of it is one.

    Raises:
        IntegrityError: see `read_sealed`.
    """
    # every file is read and checked before any key is asked for
    files = [which.file(p, dataset) for p in ([paths] if isinstance(paths, Path) else paths)]
    if not files:
        raise DataError(f"There is no sealed file of {dataset}.", hint="Run the stages before this one.")
    if len({tuple((c.name, c.type) for c in f.label.columns) for f in files}) > 1:
        raise IntegrityError(f"The batches of {dataset} have different columns.", hint="Collect all of them again.")
    all_sids = sorted({s for f in files for s in f.sids})
    held = {bytes.fromhex(s): key for s, key in keys.subject_keys([s.hex() for s in all_sids]).items()}
    # how many were erased is told, who is not
    told = {_ERASED: str(len(all_sids) - len(held)).encode()}
    for some in _cut(all_sids, files, most_bytes):
        # a cipher takes sixty times the memory of its key
        ciphers = {s: AESSIV(held[s]) for s in some if s in held}
        yield _opened([f.of(some) for f in files], some, ciphers).replace_schema_metadata(told)


def opened_frames(files: list[SealedFile], keys: SubjectKeys) -> pa.Table:
    """The rows of all frames of these files, as `read_sealed` has them.

    Raises:
        IntegrityError: a frame does not open under its subject's key.
    """
    sids = sorted({s for f in files for s in f.sids})
    held = {bytes.fromhex(s): AESSIV(key) for s, key in keys.subject_keys([s.hex() for s in sids]).items()}
    return _opened(files, sids, held)


def _cut(sids: list[bytes], files: list[SealedFile], most_bytes: int | None) -> Iterator[list[bytes]]:
    """The subjects in order, as many at a time as have so many sealed bytes."""
    if most_bytes is None or not sids:
        yield sids
        return
    sizes = dict.fromkeys(sids, 0)
    for file in files:
        for sid, frame in zip(file.sids, file.frames, strict=True):
            sizes[sid] += len(frame)
    number = np.cumsum(list(sizes.values())) // most_bytes
    begins = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(sids)]
    yield from (sids[a:b] for a, b in pairwise(begins))


def _opened(files: list[SealedFile], sids: list[bytes], held: Mapping[bytes, AESSIV]) -> pa.Table:
    """The rows of these subjects, in the order of the files."""
    place = {s: i for i, s in enumerate(sids)}
    names = pa.array([s.hex() for s in sids], pa.string())
    tables = []
    for file in files:
        values, counts, there = file.open(held)
        codes = np.repeat(np.array([place[s] for s in there], dtype=np.int32), counts)
        sid = pa.DictionaryArray.from_arrays(pa.array(codes), names)
        tables.append(pa.table({"sid": sid, **dict(zip(values.column_names, values.columns, strict=True))}))
    return pa.concat_tables(tables)


def erased(table: pa.Table) -> int:
    """How many subjects of the files an opened table came from have no key any more."""
    return int((table.schema.metadata or {}).get(_ERASED, b"0"))


def write_quarantine(table: pa.Table, path: Path, *, dataset: str, batch: str, keys: KeyStore) -> None:
    """Seal rejected rows under the batch's key: a subject's key cannot be trusted where the id itself may be broken."""
    chunk = _rows_at_once(table)
    starts = np.arange(0, table.num_rows, chunk)
    label = Label(f"{_QUARANTINE}{dataset}", batch, encoding.columns(table))
    # in place of a sid: a quarantined row's id may be the very thing that is broken
    numbers = [i.to_bytes(16, "big") for i in range(len(starts))]
    frames = encoding.encode(table, starts, table.num_rows, label.columns)
    write(path, label, numbers, encrypted(label, numbers, frames, [keys.batch_key(dataset, batch)] * len(starts)))


def _rows_at_once(table: pa.Table) -> int:
    """Rows of one frame of a quarantine: 10,000, or fewer where they are long, so that none becomes too large."""
    if table.nbytes < MOST_FRAME_BYTES // 2:
        return 10_000
    texts = [table[f.name] for f in table.schema if pa.types.is_string(f.type)]
    widest = sum(pc.max(pc.binary_length(t)).as_py() or 0 for t in texts) + 16 * table.num_columns
    return max(1, min(10_000, MOST_FRAME_BYTES // 2 // int(widest)))


def read_quarantine(path: Path, *, dataset: str, keys: KeyStore) -> pa.Table:
    """Open what `write_quarantine` sealed."""
    return _quarantined(SealedFile.read(path, f"{_QUARANTINE}{dataset}"), keys)


def quarantine_copy(path: Path, *, keys: KeyStore) -> tuple[tuple[str, str], pa.Table] | None:
    """Source, batch and rows of a quarantine's copy in a cache; None: it is none, or its key is gone.

    A batch has one key through all revisions, and it may have been collected anew since.
    """
    label = label_of(path) if path.is_file() else None
    if label is None or not label.dataset.startswith(_QUARANTINE):
        return None
    source = label.dataset.removeprefix(_QUARANTINE)
    if keys.batch_since(source, label.batch) is None:
        return None
    try:
        return (source, label.batch), _quarantined(SealedFile.copy(path), keys)
    except IntegrityError:  # sealed under a key that went before
        return None


def _quarantined(file: SealedFile, keys: KeyStore) -> pa.Table:
    source = file.label.dataset.removeprefix(_QUARANTINE)
    return file.open(dict.fromkeys(file.sids, AESSIV(keys.batch_key(source, file.label.batch))))[0]


def _encoded(subjects: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """The distinct subjects as text, and for each row which one it is."""
    whole = subjects.combine_chunks()
    whole = whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole
    coded = whole.dictionary_encode()
    return coded.dictionary.cast(pa.string()).to_pylist(), coded.indices.to_numpy().astype(np.int64)


def _columns_of(values: pa.Table, rows: np.ndarray) -> tuple[encoding.SealedColumn, ...]:
    """As `encoding.columns`, of these rows alone: a column without a null among them needs no place for any."""
    found = encoding.columns(values)
    if len(rows) == values.num_rows:
        return found
    taken = np.zeros(values.num_rows, bool)
    taken[rows] = True
    kept = pa.array(taken)
    return tuple(replace(c, nullable=c.nullable and values[c.name].filter(kept).null_count > 0) for c in found)


@dataclass(frozen=True)
class _Rows:
    """Values, the numbers of their rows subject after subject, where each subject's begin, and the subjects' sids."""

    values: pa.Table
    rows: np.ndarray
    starts: np.ndarray
    sids: list[str]

    def some_at_a_time(self, most: int) -> Iterator[Block]:
        """Copied and cut for as many subjects as have so many rows, or one subject."""
        ends, first = np.append(self.starts[1:], len(self.rows)), 0
        while first < len(self.starts):
            begin = self.starts[first]
            last = max(first + 1, int(np.searchsorted(ends, begin + most, side="right")))
            theirs = self.rows[begin : ends[last - 1]]
            some = self.values.take(pa.array(theirs)) if self.values.num_columns else self.values
            yield Block(some, self.starts[first:last] - begin, len(theirs), self.sids[first:last])
            first = last


def _sealed(rows: _Rows, label: Label, held: Mapping[str, bytes], keys: SubjectKeys) -> Iterator[bytes]:
    """The encrypted frames of all subjects, in order: made here, or by workers who ask for the keys themselves."""
    if len(rows.rows) <= ROWS_AWAY or (elsewhere := workers()) is None:
        for block in rows.some_at_a_time(ROWS_AT_ONCE):
            yield from block.sealed(label, held)
        return
    blocks = rows.some_at_a_time(ROWS_AWAY)
    with elsewhere.lending(keys, rows.sids) as lent:
        while some := list(islice(blocks, ROWS_AT_ONCE // ROWS_AWAY)):
            packed = pa.table({"block": pa.array([block.packed() for block in some], pa.binary())})
            yield from elsewhere.spread(packed, SealsBlocks(label, lent), gives=FRAMES)["frame"].to_pylist()


def _grouped(there: list[str], sids: list[str], row_names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers in the order of `there` (nobody else's), and where each subject's begin."""
    place = {sid: i for i, sid in enumerate(there)}
    place_of_row = np.array([place.get(s, -1) for s in sids], dtype=np.int64)[row_names]
    rows = np.argsort(place_of_row, kind="stable")
    rows = rows[np.count_nonzero(place_of_row < 0) :]
    return rows, np.searchsorted(place_of_row[rows], np.arange(len(there)))


def with_text_sid(table: pa.Table) -> pa.Table:
    """The same table with `sid` as plain text: engines order and join dictionaries each in their own way."""
    return table.set_column(table.schema.get_field_index("sid"), "sid", table["sid"].cast(pa.string()))
