"""What we ask of the outside. Every port has a shipped in-memory twin in `twinops.adapters.memory.engine_and_keys`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twinops.entities.erasure import CopyFound, Erasing, ErasureMarks, KeyStanding
from twinops.entities.persons import PersonMove, PersonRegister
from twinops.entities.rights import LearnedVersion, RightsAct, RightsEntry, RightsHead

if TYPE_CHECKING:
    import pyarrow as pa


class OpensFrames(Protocol):
    """Opens sealed frames wherever they are; it can be pickled, and holds no key."""

    @property
    def schema(self) -> pa.Schema:
        """Of the rows, before any is opened."""

    def __call__(self, frames: pa.Table, keys: SubjectKeys) -> pa.Table:
        """The rows of these frames: `sid, file, frame`, `file` being the place among the paths."""


class Sealed(Protocol):
    """Sealed rows that are not opened yet."""

    @property
    def paths(self) -> Sequence[Path]:
        """The files."""

    @property
    def keys(self) -> SubjectKeys:
        """What they open under."""

    def opened(self) -> Iterator[pa.Table]:
        """Here: some subjects after the other with all their rows, in order of sid."""

    def opener(self) -> OpensFrames:
        """What opens their frames elsewhere."""


class Engine(Protocol):
    """Runs SQL over named tables. Tables travel as names and Arrow; the SQL lives in `.sql` files beside its owner."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table known under a name; an older one of that name is replaced."""

    def register_parquet(self, name: str, path: Path) -> None:
        """Make a plain Parquet file known under a name, read lazily."""

    def opening(self, name: str, rows: Sealed) -> Iterator[None]:
        """Make sealed rows known under a name, some subjects after the other with all their rows."""

    def keep(self, name: str, sql: str) -> None:
        """Run one SELECT and make its answer known under a name, where it was found."""

    def spread(self, table: pa.Table, work: Callable[[pa.Table], pa.Table], *, gives: pa.Schema) -> pa.Table:
        """Work on rows each of which can be worked on without the others; what came of them, in their order.

        `work` can be pickled, and answers some rows, one or many, in the shape of `gives`.
        """

    def spread_some(
        self, table: pa.Table, work: Callable[[pa.Table], pa.Table], *, gives: pa.Schema, at_once: int
    ) -> Iterator[pa.Table]:
        """The same, so many rows at one time: `work` holds no more, and what came of them comes one after the other."""

    def lent(self, keys: SubjectKeys, sids: Iterable[str]) -> SubjectKeys:
        """The keys of these subjects, for work that is spread: it can be pickled where that is done elsewhere."""

    def execute(self, sql: str) -> None:
        """Run one or more statements for their effect."""

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return its rows, in the order it asks for."""

    def forget(self) -> None:
        """Know no table any more, and hold no memory of past queries: for who asks for months."""

    def shut(self) -> Engine:
        """A new one that knows no table and can open no file: for queries that the project brings of its own."""


class Held(Protocol):
    """Works on rows where they are held, as `Engine.spread` does; what came of them has no order."""

    def __call__(self, work: Callable[[pa.Table], pa.Table], *, gives: pa.Schema) -> pa.Table:
        """In the shape of `gives`."""


class Workers(Protocol):
    """An engine whose work is done elsewhere, by several side by side."""

    def spread(self, table: pa.Table, work: Callable[[pa.Table], pa.Table], *, gives: pa.Schema) -> pa.Table:
        """See `Engine.spread`."""

    def held(self, table: pa.Table) -> AbstractContextManager[Held]:
        """Rows that are worked on again and again, kept where that is done while it lasts."""

    def lending(self, keys: SubjectKeys, sids: Iterable[str]) -> AbstractContextManager[SubjectKeys]:
        """See `Engine.lent`, and nobody is given a key any more once it is over."""


class SubjectKeys(Protocol):
    """All that opening sealed tables needs."""

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """The 64-byte key of every subject that still has one; the erased are absent."""


class KeyStore(SubjectKeys, Protocol):
    """Holds what must never be in git, DVC or MLflow: who is who, and each subject's key."""

    def epoch(self) -> int:
        """How often the key-encryption key was rotated; rises with every erasure."""

    def subject_ids(self, natural_ids: Sequence[str]) -> list[str]:
        """A random-looking 32-digit hexadecimal subject id (sid) per natural id; unknown ones are enrolled."""

    def known_sid(self, natural_id: str) -> str | None:
        """The sid of a natural id that is enrolled and not erased, or None. Asking enrols nobody."""

    def known_sids(self, natural_ids: Iterable[str]) -> dict[str, str]:
        """Of these natural ids those that are enrolled and not erased, with their sids: asked for all at once."""

    def batch_key(self, dataset: str, batch: str) -> bytes:
        """The 64-byte key a batch's quarantine is sealed under; made when first asked for."""

    def batch_since(self, dataset: str, batch: str) -> date | None:
        """The day this key was made, far ahead for a derived one that never ages; None: there is no key (any more)."""

    def forget_batch(self, dataset: str, batch: str) -> None:
        """Destroy a batch's key: its quarantined rows are gone in every copy. Nothing happens when there is none."""

    def suppressed(self, contacts: Iterable[str]) -> frozenset[str]:
        """Those of these natural ids and contacts (`entities.erasure.contact`) that belong to somebody erased."""

    def keep_away(self, natural_ids: Iterable[str]) -> None:
        """From now on nobody is taken in under these natural ids; who is held under one already stays."""

    def one_subject(self, numbers: Mapping[str, str]) -> None:
        """From now on each of these natural ids means the subject of the other, and no id but these another's."""

    def moved(self) -> dict[str, str]:
        """Sids that such natural ids had before -> the sid they mean now."""


class KeyKeeper(KeyStore, Protocol):
    """The key store for whoever erases and rotates: it may be ahead of the project's `epoch.json`."""

    def erase(self, what: Erasing) -> Mapping[str, Any]:
        """Destroy keys, keep the persons away and raise the epoch, all or nothing; what was recorded of it."""

    def erased_as(self, who: Iterable[str]) -> dict[str, str]:
        """Of these natural ids or sids those that were erased, with the name of the act."""

    def erasures(self, *, unfinished: bool = False) -> list[Mapping[str, Any]]:
        """What was recorded of each act, oldest first, or of those whose last steps were not taken yet."""

    def finished(self, name: str, certificate: str) -> None:
        """Note that an act is done, and the digest of its certificate."""

    def rotate(self) -> KeyStanding:
        """Wrap everything under the next wrapping key and destroy the one before."""

    def standing(self) -> KeyStanding:
        """How the store stands."""

    def back_up(self, into: Path) -> KeyStanding:
        """Copy the store into a new file, wrapped as it is."""


class KeyRestorer(Protocol):
    """The key store for whoever puts a copy in its place, however old what is here."""

    def restore(self, file: Path, marks: ErasureMarks) -> KeyStanding:
        """Put a copy in place, then forget again whoever the project says was erased."""


class RightsRead(Protocol):
    """What consumers asked and told: consent, objection, restriction, correction, erasure, requests."""

    def entries(self) -> tuple[RightsEntry, ...]:
        """Every entry, in order."""

    def corrections(self) -> tuple[RightsEntry, ...]:
        """Entries that put a field of a source right."""

    def holds(self) -> tuple[RightsEntry, ...]:
        """Entries that keep somebody's records for legal claims, or let them go."""

    def told(self, entry: RightsEntry) -> Mapping[str, Any]:
        """The words of an entry that are sealed under its subject's key; nothing where the key is gone."""


class Rights(Protocol):
    """The ledger itself: for whoever brings it up to date. It may be ahead of what the project follows."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The one clock."""

    def entries(self) -> tuple[RightsEntry, ...]:
        """Every entry, in order."""

    def length(self) -> int:
        """How many entries there are; none is read."""

    def told(self, entry: RightsEntry) -> Mapping[str, Any]:
        """The words of an entry; nothing where the key is gone."""

    def append(self, *acts: RightsAct) -> tuple[RightsEntry, ...]:
        """Write acts, all or none, and the files by which the project follows."""

    def sync(self) -> tuple[RightsHead, ...]:
        """Write those files as the ledger is, and note that it was looked at."""

    def state(self, name: str) -> str | None:
        """A note beside the ledger."""

    def note(self, name: str, value: str) -> None:
        """Keep such a note."""


class Persons(Protocol):
    """The register of persons: which records were one person's when it was last settled, and what was decided."""

    def known(self) -> PersonRegister:
        """As of the last settlement."""

    def settle(self, moves: Sequence[PersonMove], model: str, *, office: str, person: str) -> None:
        """Write what became of records since and the weights, all or none, in the name of whoever does it."""

    def history(self) -> tuple[tuple[RightsEntry, tuple[PersonMove, ...]], ...]:
        """Every settlement with its moves, oldest first."""


class RightsKeeper(Rights, Protocol):
    """The ledger for whoever erases: before `epoch.json` says so."""


class LearnedFrom(Protocol):
    """Which registered versions learned from whom."""

    def remember(self, version: LearnedVersion, sids: Iterable[str]) -> None:
        """Keep who a version learned from."""

    def of(self, sids: Iterable[str]) -> tuple[LearnedVersion, ...]:
        """Every version that learned from one of these."""


class Tracking(Protocol):
    """A ledger of runs: one per key."""

    def find(self, key: str, *, tags: Mapping[str, str] | None = None) -> str | None:
        """The run id of the finished run with this key and these tags, if there is one."""

    def page(self, run_id: str) -> str:
        """Where people look at the run: an address relative to the ledger's own, whatever that is."""

    def record(
        self,
        *,
        key: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        files: Mapping[str, Path],
    ) -> str:
        """Write one finished run and return its id; a run that has this key already is brought up to date instead.

        `files` maps the place in the run to a file or folder.
        """


class Registry(Protocol):
    """Named models with numbered versions."""

    def find(self, name: str, key: str) -> str | None:
        """The version of the model that was registered for this key."""

    def register(self, name: str, *, key: str, run_id: str, model: Path, tags: Mapping[str, str]) -> str:
        """Make a version from a model file, or find the one this key has, and return its number, as text."""

    def describe(self, name: str, version: str, *, description: str, tags: Mapping[str, str]) -> None:
        """Replace a version's description and tags."""


class Lineage(Protocol):
    """What the candidate in this folder was made from, as the lock file and git know it."""

    def candidate_key(self) -> str:
        """SHA-256 over commands, inputs, parameters and outputs of every stage that comes before the documents."""

    def inputs_and_outputs(self) -> dict[str, str]:
        """MD5 of every file and folder that a stage read or wrote."""

    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        """Every stage as the lock file holds it: `cmd`, `deps`, `params`, `outs`."""

    def lock_digest(self) -> str:
        """SHA-256 of the lock file."""

    def lock_matches(self) -> bool:
        """Whether what lies in the folder is what the lock file says: code, data, outputs and parameters."""

    def changed(self) -> Mapping[str, Sequence[str]]:
        """Stages of which something differs from when they ran, each with what: input, parameter, output, command."""

    def ran_otherwise(self) -> Mapping[str, Sequence[str]]:
        """Stages that loaded other code than the lock file records, each with the files."""

    def stale_stages(self) -> Mapping[str, Sequence[str]]:
        """Stages of the lock file that the pipeline no longer has, each with what it made."""

    def git_revision(self) -> str | None:
        """The commit that is checked out; None outside git."""

    def git_dirty(self) -> bool | None:
        """Whether anything git does not ignore differs from that commit; None outside git."""


class ColumnLineage(Protocol):
    """From which source columns each column of a derived table is made."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Every derived table, sorted."""

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table, in order."""

    def of(self, column: str) -> frozenset[str]:
        """The source columns whose values a column (`panel.cents_h1`) is made from."""

    def columns_from(self, source: str) -> frozenset[str]:
        """Every derived column (`table.column`) in whose values a source has a part."""

    def rows_from(self, table: str) -> frozenset[str]:
        """The sources that decide which rows a table has."""


class Notebooks(Protocol):
    """Executes notebooks."""

    def run(
        self,
        source: Path,
        into: Path,
        *,
        parameters: Mapping[str, Any] | None = None,
        known_sids: Callable[[], Iterable[str]] = frozenset,
    ) -> None:
        """Execute a percent-format notebook; publish the result only if it ran through and shows no subject.

        `known_sids` is asked once its cells are gone.
        """

    def left_open(self, source: Path) -> frozenset[str]:
        """Parameters that the notebook's own cell leaves to others: those it sets to None."""


class Production(Protocol):
    """What is live, or was at some revision: read, never written."""

    def evidence(self, model: str) -> str | None:
        """The Evidence file of the version that is in production; None when nothing is."""

    def at(self, revision: str, path: Path) -> str | None:
        """A file as a revision of git has it; None when it does not."""


class RegisteredVersion(Protocol):
    """A version as the registry has it."""

    @property
    def number(self) -> str:
        """Its number, as text."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """What points to it."""

    @property
    def lineage(self) -> Mapping[str, str]:
        """MD5 of every file it was made from and with, as its run has it; nothing where the run cannot be read."""


class Versions(Protocol):
    """The registry for whoever must tell it what became of the people a version learned from."""

    def all(self) -> Mapping[str, Sequence[RegisteredVersion]]:
        """Every version of every model, by the model's name."""

    def tell(self, model: str, version: str, *, tags: Mapping[str, str]) -> None:
        """Put tags on a version; nothing happens where they are there."""


class Copies(Protocol):
    """Every place below a project where rows of somebody may lie."""

    def look(self, sids: frozenset[str], names: frozenset[str]) -> tuple[CopyFound, ...]:
        """Where sealed frames of these subjects lie, and where one of their names stands in the open."""

    def listed(self, digest: str, sids: frozenset[str]) -> frozenset[str] | None:
        """Which of the subjects a sealed file of this MD5 holds; None: it is not here."""


class Commits(Protocol):
    """The project's history, for a command that must not be forgotten to be committed."""

    def against_unready(self) -> None:
        """Refuse while a merge or a rebase is under way, or where git does not know whose commit it is."""

    def commit(self, paths: Sequence[Path], *, message: str) -> str | None:
        """Commit these files and nothing else; the commit, or None outside git. Nothing changed: the one that is."""


class Signer(Protocol):
    """Signs a file in a person's name, with a key that the person alone holds."""

    def sign(self, path: Path, *, key: Path, namespace: str) -> None:
        """Write `<path>.sig`, an ssh signature for this namespace; an older one is replaced."""
