"""What we ask of the outside. Every port has a shipped in-memory twin in `twinops.adapters.memory.engine_and_keys`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class Engine(Protocol):
    """Runs SQL over named tables. Tables travel as names and Arrow; the SQL lives in `.sql` files beside its owner."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table known under a name; an older one of that name is replaced."""

    def register_parquet(self, name: str, path: Path) -> None:
        """Make a plain Parquet file known under a name, read lazily."""

    def execute(self, sql: str) -> None:
        """Run one or more statements for their effect."""

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return its rows, in the order it asks for."""


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

    def batch_key(self, dataset: str, batch: str) -> bytes:
        """The 64-byte key a batch's quarantine is sealed under; made when first asked for."""

    def batch_since(self, dataset: str, batch: str) -> date | None:
        """The day this key was made, far ahead for a derived one that never ages; None: there is no key (any more)."""

    def forget_batch(self, dataset: str, batch: str) -> None:
        """Destroy a batch's key: its quarantined rows are gone in every copy. Nothing happens when there is none."""


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


class Signer(Protocol):
    """Signs a file in a person's name, with a key that the person alone holds."""

    def sign(self, path: Path, *, key: Path, namespace: str) -> None:
        """Write `<path>.sig`, an ssh signature for this namespace; an older one is replaced."""
