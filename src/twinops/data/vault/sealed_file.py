"""One sealed file: an ordinary Parquet file of {sid, frame}, with what is in it written in its footer.

Frames are AES-SIV (RFC 5297) over zstd, so the same rows give the same bytes; sid, dataset, batch and column schema are
authenticated with them.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.data.vault import encoding
from twinops.entities.canonical import to_json
from twinops.errors import DataError, IntegrityError
from twinops.whole_files import beside

MOST_FRAME_BYTES = 64 * 2**20
"""A frame that claims to be larger is not expanded, and none is written."""

MOST_SUBJECTS = 50_000_000
_LABEL = b"twinops.sealed"
_FILE = pa.schema([("sid", pa.binary(16)), ("frame", pa.large_binary())])
_ZSTD_LEVEL = 3
_AGAIN = "Restore it from the cache or run the stage that wrote it again; if it comes back, someone changes files."


@dataclass(frozen=True)
class Label:
    """What a sealed file says about itself in the open, and what every frame in it is bound to."""

    dataset: str
    batch: str
    columns: tuple[encoding.SealedColumn, ...]

    @cached_property
    def bound(self) -> tuple[bytes, bytes, bytes]:
        """What is authenticated together with every frame, beside its sid."""
        return self.dataset.encode(), self.batch.encode(), to_json([asdict(c) for c in self.columns]).encode()

    def metadata(self) -> dict[bytes, bytes]:
        """For the Parquet file's footer."""
        return {_LABEL: to_json(asdict(self)).encode()}


def write(path: Path, label: Label, sids: list[bytes], frames: Iterable[bytes]) -> None:
    """Write encrypted frames; the file appears whole or not at all."""
    with writing(path, label) as part:
        part(sids, frames)


def encrypted(label: Label, sids: Iterable[bytes], frames: Iterable[bytes], keys: Iterable[bytes]) -> Iterator[bytes]:
    """Each subject's frame under its own key, bound to what the file says of itself."""
    squeeze, bound = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress, label.bound
    for sid, plain, key in zip(sids, frames, keys, strict=True):
        yield AESSIV(key).encrypt(squeeze(_small(plain, label)), [sid, *bound])


WritesPart = Callable[[list[bytes], Iterable[bytes]], None]


@contextmanager
def writing(path: Path, label: Label) -> Iterator[WritesPart]:
    """Write encrypted frames part after part, by rising sid; the file appears whole, at the end, or not at all."""
    schema = _FILE.with_metadata(label.metadata())
    how: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": ["sid"]}
    # ciphertext does not compress; statistics of frames would only cost
    with beside(path) as half, pq.ParquetWriter(half, schema, **how) as file:

        def part(sids: list[bytes], frames: Iterable[bytes]) -> None:
            columns = [pa.array(sids, pa.binary(16)), pa.array(list(frames), pa.large_binary())]
            file.write_table(pa.table(columns, schema=schema))

        yield part


def _small(plain: bytes, label: Label) -> bytes:
    """The same frame, if it may be opened again."""
    if len(plain) > MOST_FRAME_BYTES:
        raise DataError(
            f"One subject of {label.dataset} {label.batch} has {len(plain):,} bytes.", hint="Collect shorter batches."
        )
    return plain


def label_of(path: Path) -> Label | None:
    """What a file says about itself in the open; None: it is no sealed file.

    Raises:
        DataError, IntegrityError: see `damage`.
    """
    with damage(path):
        found = (pq.read_metadata(path).metadata or {}).get(_LABEL)
        if found is None:
            return None
        raw = json.loads(found)
        return Label(raw["dataset"], raw["batch"], tuple(encoding.SealedColumn(**c) for c in raw["columns"]))


def subjects_in(paths: Iterable[Path]) -> frozenset[str]:
    """Of whom sealed files hold anything; no frame is read."""
    found: set[bytes] = set()
    for path in paths:
        with damage(path), pq.ParquetFile(path) as file:
            found.update(file.read(columns=["sid"], use_threads=False)["sid"].to_pylist())
    return frozenset(sid.hex() for sid in found)


@dataclass(frozen=True)
class SealedFile:
    """A sealed file, read and not yet opened."""

    path: Path
    label: Label
    sids: list[bytes]
    frames: list[bytes]

    @classmethod
    def read(cls, path: Path, dataset: str) -> SealedFile:
        """Read a file and check that it is what its place says.

        Raises:
            DataError: it is not there.
            IntegrityError: it is no sealed file, or another one.
        """
        return named(cls.copy(path), dataset)

    @classmethod
    def copy(cls, path: Path) -> SealedFile:
        """Read a copy that lies elsewhere, as in a cache: what it is, it alone says.

        Raises:
            DataError: it is not there.
            IntegrityError: it is no sealed file.
        """
        # `read_table` would load pyarrow's data sets, for a quarter of a second
        with damage(path), pq.ParquetFile(path) as file:
            # the footer tells the size before a row is read
            label = checked(file.schema_arrow.metadata, file.metadata.num_rows)
            table = file.read()
            sids, frames = table["sid"].to_pylist(), table["frame"].to_pylist()
        rising(path, sids)
        return cls(path, label, sids, frames)

    def of(self, sids: Sequence[bytes]) -> SealedFile:
        """The same with the frames of subjects that follow each other alone."""
        first, last = bisect_left(self.sids, sids[0]) if sids else 0, bisect_right(self.sids, sids[-1]) if sids else 0
        return replace(self, sids=self.sids[first:last], frames=self.frames[first:last])

    def open(self, held: Mapping[bytes, AESSIV]) -> tuple[pa.Table, np.ndarray, list[bytes]]:
        """The rows of all subjects whose key is held, how many each has, and who they are."""
        # without a key there is nothing to open: erased, or not ours to look at
        there = [(sid, sealed) for sid, sealed in zip(self.sids, self.frames, strict=True) if sid in held]
        expand, bound = zstandard.ZstdDecompressor().decompress, self.label.bound
        plain = [expand(self._opened(sealed, held[sid], [sid, *bound])) for sid, sealed in there]
        values, counts = encoding.decode(plain, self.label.columns)
        return values, counts, [sid for sid, _ in there]

    def _opened(self, sealed: bytes, key: AESSIV, bound: list[bytes]) -> bytes:
        """The authenticated zstd frame; its declared size is checked before anything is expanded."""
        try:
            squeezed = key.decrypt(sealed, bound)
        except (InvalidTag, ValueError):
            raise IntegrityError(
                f"A frame of {_name(self.path)} does not open under its key: changed, swapped, or sealed for "
                "another dataset, batch or schema.",
                hint=_AGAIN,
            ) from None
        # the size stands inside what was authenticated, but our own bug could have written it
        if not 0 <= zstandard.frame_content_size(squeezed) <= MOST_FRAME_BYTES:
            raise IntegrityError(
                f"A frame of {_name(self.path)} claims more than {MOST_FRAME_BYTES:,} bytes.", hint=_AGAIN
            )
        return squeezed


def checked(metadata: Mapping[bytes, bytes] | None, rows: int) -> Label:
    """What a footer says; a mistake in it is none of ours."""
    if rows > MOST_SUBJECTS:
        raise ValueError("more subjects than we write")
    raw = json.loads((metadata or {})[_LABEL])
    return Label(raw["dataset"], raw["batch"], tuple(encoding.SealedColumn(**c) for c in raw["columns"]))


def named(file: SealedFile, dataset: str) -> SealedFile:
    """The file, if it is what its place says.

    Raises:
        IntegrityError: it is another one.
    """
    # a file put in another's place is caught here, a frame by its tag
    if (file.label.dataset, file.label.batch) != (dataset, file.path.stem):
        what = f"{file.label.dataset} of batch {file.label.batch}, not {dataset} of {file.path.stem}"
        raise IntegrityError(f"{_name(file.path)} holds {what}.", hint=_AGAIN)
    return file


def rising(path: Path, sids: Sequence[bytes], after: bytes = b"") -> None:
    """A subject twice could hide a second version of its rows.

    Raises:
        IntegrityError: one is there twice, or out of order.
    """
    if list(sids) != sorted(set(sids)) or (sids and sids[0] <= after):
        raise IntegrityError(f"{_name(path)} holds a subject twice or out of order.", hint=_AGAIN)


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """What goes wrong while a file is read, told as what it is.

    Raises:
        DataError: it is not there.
        IntegrityError: it is no sealed file.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe or a device is read for ever
            raise OSError
        yield
    except FileNotFoundError:
        raise DataError(f"{_name(path)} is not there.", hint="Run `dvc repro`, or `dvc pull`.") from None
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
        raise IntegrityError(f"{_name(path)} is not a sealed file.", hint=_AGAIN) from None


def _name(path: Path) -> str:
    return "/".join(path.parts[-2:])
