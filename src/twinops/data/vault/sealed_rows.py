"""Sealed rows that whoever works on them opens: part by part here, or frame by frame where a cluster keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.seal import WHOLE, Which, in_parts, opened_frames, with_text_sid
from twinops.data.vault.sealed_file import Label, SealedFile, label_of
from twinops.errors import DataError, IntegrityError
from twinops.ports import SubjectKeys

Then = Callable[[pa.Table], pa.Table]
"""What is done with rows as soon as they are opened, whichever of them come together; it can be pickled."""


@dataclass(frozen=True)
class SealedRows:
    """The files of one dataset, the keys they open under, and what is done with the rows before anybody sees them."""

    paths: Sequence[Path]
    dataset: str
    keys: SubjectKeys
    then: Then
    which: Which = WHOLE
    """Among whose frames is looked; a key decides what opens."""

    def opened(self) -> Iterator[pa.Table]:
        """Some subjects after the other with all their rows of all files, `sid` as text.

        Raises:
            DataError: there is no file.
            IntegrityError: see `read_sealed`.
        """
        parts = in_parts(self.paths, dataset=self.dataset, keys=self.keys, which=self.which)
        return map(self.then, map(with_text_sid, parts))

    def opener(self) -> FrameOpener:
        """What opens frames elsewhere; no frame is read.

        Raises:
            DataError: there is no file.
            IntegrityError: one is not what its place says.
        """
        if not self.paths:
            raise DataError(f"There is no sealed file of {self.dataset}.", hint="Run the stages before this one.")
        labels = tuple(label for label in map(label_of, self.paths) if label is not None)
        if [(label.dataset, label.batch) for label in labels] != [(self.dataset, path.stem) for path in self.paths]:
            raise IntegrityError(f"A file of {self.dataset} is not what its place says.", hint="Collect it again.")
        return FrameOpener(labels, self.then)


@dataclass(frozen=True)
class FrameOpener:
    """Opens frames of files with these labels; it holds no key."""

    labels: tuple[Label, ...]
    then: Then

    def __call__(self, frames: pa.Table, keys: SubjectKeys) -> pa.Table:
        """The rows of these frames: `sid, file, frame`, `file` being the place among the labels.

        Raises:
            IntegrityError: a subject is in a file twice, or a frame does not open under its subject's key.
        """
        files = []
        for number, label in enumerate(self.labels):
            some = frames.filter(pc.equal(frames["file"], number)).sort_by("sid")
            sids = some["sid"].to_pylist()
            if len(set(sids)) < len(sids):
                raise IntegrityError(f"{label.dataset} {label.batch} holds a subject twice.", hint="Collect it again.")
            files.append(SealedFile(Path(label.dataset, label.batch), label, sids, some["frame"].to_pylist()))
        return self.then(with_text_sid(opened_frames(files, keys)))

    @property
    def schema(self) -> pa.Schema:
        """Of the rows, before any is opened."""
        empty = pa.table(
            {"sid": pa.array([], pa.binary()), "file": pa.array([], pa.int32()), "frame": pa.array([], pa.binary())}
        )
        return self(empty, _NoKeys()).schema


class _NoKeys:
    def subject_keys(self, sids: object) -> dict[str, bytes]:  # noqa: ARG002  (the port's)
        """None."""
        return {}
