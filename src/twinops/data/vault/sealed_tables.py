"""The project's sealed tables, opened: one reader in place of paths, dataset names and keys carried from hand to hand.

A table is named once, by the source it came from or by the file a stage made, and opens under the keys the reader was
given. `of` narrows those keys, so whoever asks about one subject cannot open another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pyarrow as pa

from twinops.data.vault.seal import WHOLE, Which, in_parts, read_sealed, with_text_sid
from twinops.data.vault.sealed_ahead import FramesAhead
from twinops.data.vault.sealed_file import subjects_in
from twinops.data.vault.sealed_rows import SealedRows, Then
from twinops.ports import SubjectKeys


@dataclass(frozen=True)
class SealedTables:
    """Opens sealed tables with `sid` as plain text; `raw_batches` says where the batches of a source lie."""

    raw_batches: Callable[[str], Sequence[Path]]
    keys: SubjectKeys
    which: Which = WHOLE

    def ahead(self) -> SealedTables:
        """The same for whoever asks `of` rising subjects: each file is read once, and what was asked about last lies
        in memory, sealed.
        """
        return replace(self, which=replace(self.which, read=cache(FramesAhead)))

    def collected(self, source: str) -> bool:
        """Whether any batch of the source is there."""
        return bool(self.raw_batches(source))

    def source(self, source: str, *, otherwise: pa.Table | None = None) -> pa.Table:
        """Every batch of a source, in order; `otherwise` if none was collected.

        Raises:
            DataError: none was collected, and there is nothing else to answer.
        """
        if otherwise is not None and not self.collected(source):
            return otherwise
        return with_text_sid(read_sealed(self.raw_batches(source), dataset=source, keys=self.keys, which=self.which))

    def source_in_parts(self, source: str) -> Iterator[pa.Table]:
        """The same as `source`, some subjects after the other with all their rows of all batches, in order of sid.

        Raises:
            DataError: none was collected.
        """
        return map(with_text_sid, in_parts(self.raw_batches(source), dataset=source, keys=self.keys, which=self.which))

    def rows(self, source: str, then: Then) -> SealedRows:
        """The same, for an engine to open: `then` is done with them before anybody sees them."""
        return SealedRows(self.raw_batches(source), source, self.keys, then, self.which)

    def subjects(self, source: str) -> tuple[tuple[str, ...], int]:
        """Whose rows there are of a source, in order, and of how many the key is gone; no frame is opened."""
        everybody = sorted(subjects_in(self.raw_batches(source)))
        held = self.keys.subject_keys(everybody)
        return tuple(sid for sid in everybody if sid in held), len(everybody) - len(held)

    def table(self, path: Path, *, dataset: str | None = None, otherwise: pa.Table | None = None) -> pa.Table:
        """The table of one file, which is called as its dataset is unless said; `otherwise` if it was not made.

        Raises:
            DataError: it was not made, and there is nothing else to answer.
        """
        if otherwise is not None and not path.is_file():
            return otherwise
        return with_text_sid(read_sealed(path, dataset=dataset or path.stem, keys=self.keys, which=self.which))

    def parted(
        self, paths: Iterable[Path], *, otherwise: pa.Table | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """One table that lies in several files, as far as they were made; `otherwise` if none was. Of a large table
        `columns` cost no more memory than they have: it is opened some subjects after the other.

        Raises:
            DataError: none was made, and there is nothing else to answer.
        """
        there = [path for path in paths if path.is_file()]
        if not there and otherwise is not None:
            return otherwise
        stem = there[0].stem if there else "the parted table"
        if columns is not None:
            parts = in_parts(there, dataset=stem, keys=self.keys, which=self.which)
            return pa.concat_tables(with_text_sid(part.select(list(columns))) for part in parts)
        return with_text_sid(read_sealed(there, dataset=stem, keys=self.keys, which=self.which))

    def of(self, sids: Iterable[str]) -> SealedTables:
        """The same tables, with the rows of these subjects alone: every other frame stays closed."""
        theirs = frozenset(sids)
        among = tuple(sorted(bytes.fromhex(sid) for sid in theirs))
        return replace(self, keys=SingleSubject(self.keys, theirs), which=replace(self.which, among=among))

    def one(self, sid: str, source: str, *, otherwise: pa.Table | None = None) -> pa.Table:
        """What a source holds of one subject."""
        return self.of([sid]).source(source, otherwise=otherwise)


@dataclass(frozen=True)
class SingleSubject:
    """The keys of one subject's own `sids`, household and linked records; sealed frames of others stay closed."""

    keys: SubjectKeys
    sids: frozenset[str]

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """The keys of those among them that may be opened."""
        return self.keys.subject_keys([sid for sid in sids if sid in self.sids])
