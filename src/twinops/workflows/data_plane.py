"""What the pipeline's workflows on subject-level data work with, in one record."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from twinops.data.vault.seal import write_sealed
from twinops.data.vault.sealed_tables import SealedTables
from twinops.ports import Engine, KeyStore
from twinops.workflows.places import Places


@dataclass(frozen=True)
class DataPlane:
    """Where things lie, the engine that runs SQL over them, and the keys they are sealed under."""

    places: Places
    engine: Engine
    keys: KeyStore

    @cached_property
    def tables(self) -> SealedTables:
        """Every sealed table of the project."""
        return SealedTables(self.places.raw_batches, self.keys)

    def seal(self, table: pa.Table, path: Path) -> None:
        """Write a table made from opened ones, by its `sid`; it is called as its file is."""
        write_sealed(table, path, dataset=path.stem, keys=self.keys, subject="sid")
