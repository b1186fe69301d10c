"""Where scores go, part by part: sealed or open Parquet, CSV, or a table of a database; whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from twinops.data.reading.csv_records import is_formula
from twinops.data.vault.seal import sealing
from twinops.entities.canonical import to_json
from twinops.errors import ParamsError, ServiceError
from twinops.ports import SubjectKeys
from twinops.whole_files import OWNER_ALONE, beside

DATASET = "scores"
ABOUT = b"twinops.scores"
Put = Callable[[pa.Table], None]
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_SCHEMES = ("sqlite", "postgresql")
FORMS = (
    "Name a file that ends with .parquet or .csv, or a table: sqlite:///file.db#table or postgresql://host/base#table."
)


@dataclass(frozen=True)
class Outlet:
    """One place: `kind` is parquet, csv or sql. An address is never repeated in a text: it may hold a password."""

    kind: str
    at: str
    table: str = ""

    @property
    def named(self) -> str:
        """How it is called in texts and logs."""
        return f"table {self.table}" if self.kind == "sql" else self.at

    def within(self, folder: Path) -> bool:
        """Whether it lies in this folder."""
        scheme, _, place = self.at.partition("://") if self.kind == "sql" else ("", "", f"/{self.at}")
        inside = not scheme or scheme.startswith("sqlite")
        return inside and Path(place.removeprefix("/")).resolve().is_relative_to(folder.resolve())

    def opened(self, schema: pa.Schema, about: Mapping[str, Any]) -> AbstractContextManager[Put]:
        """In the open, for whoever may read the place."""
        into = {"parquet": _parquet, "csv": _csv}
        return _sql(self, schema) if self.kind == "sql" else into[self.kind](Path(self.at), schema, about)

    def sealed(self, schema: pa.Schema, keys: SubjectKeys) -> AbstractContextManager[Put]:
        """Each row under its subject's own key.

        Raises:
            ParamsError: it is no Parquet file.
        """
        if self.kind != "parquet":
            raise ParamsError(
                "A CSV file or a table of a database cannot be sealed.",
                hint="Name a file that ends with .parquet, or say --open and who answers for it.",
            )
        return _sealed(Path(self.at), schema, keys)


def outlet(said: str) -> Outlet:
    """What `--out` names.

    Raises:
        ParamsError: it is none of what can be written.
    """
    scheme, sep, _ = said.partition("://")
    if sep:
        address, _, table = said.rpartition("#")
        if scheme.partition("+")[0] not in _SCHEMES or not address or not _TABLE.fullmatch(table):
            raise ParamsError("The address of --out is not understood.", hint=FORMS)
        driver = "postgresql+psycopg" if scheme == "postgresql" else scheme  # the one that is installed
        return Outlet("sql", driver + address[len(scheme) :], table)
    kind = Path(said).suffix.lower().removeprefix(".")
    if kind not in ("parquet", "csv"):
        raise ParamsError(f"{Path(said).name!r:.60} has no form that is written.", hint=FORMS)
    return Outlet(kind, said)


@contextmanager
def _sealed(path: Path, schema: pa.Schema, keys: SubjectKeys) -> Iterator[Put]:
    with sealing(path, schema, dataset=DATASET, keys=keys) as part:
        yield lambda table: _drop(part(table))


def _drop(_written: object) -> None:
    """What was written is counted elsewhere."""


@contextmanager
def _parquet(path: Path, schema: pa.Schema, about: Mapping[str, Any]) -> Iterator[Put]:
    told = schema.with_metadata({ABOUT: to_json(about).encode()})
    with beside(path, mode=OWNER_ALONE) as half, pq.ParquetWriter(half, told, compression="zstd") as file:
        yield lambda table: file.write_table(table.replace_schema_metadata(told.metadata))


@contextmanager
def _csv(path: Path, schema: pa.Schema, _about: Mapping[str, Any]) -> Iterator[Put]:
    with beside(path, mode=OWNER_ALONE) as half, pyarrow.csv.CSVWriter(half, schema) as file:
        yield lambda table: file.write_table(_harmless(table))


def _harmless(table: pa.Table) -> pa.Table:
    """A name of a category that a spreadsheet would run (CWE-1236) gets a quote before it."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            bad = [v for v in pc.unique(table[field.name]).to_pylist() if v is not None and is_formula(v)]
            if bad:
                hurts = pc.is_in(table[field.name], pa.array(bad, pa.string()))
                quoted = pc.binary_join_element_wise("'", table[field.name], "")
                table = table.set_column(place, field, pc.if_else(hurts, quoted, table[field.name]))
    return table


@contextmanager
def _sql(out: Outlet, schema: pa.Schema) -> Iterator[Put]:
    """The table is another one when the transaction ends, and as it was when anything goes wrong.

    Raises:
        ServiceError: the database cannot be reached or refuses.
    """
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    kinds = {"string": sqlalchemy.Text, "double": sqlalchemy.Double, "int64": sqlalchemy.BigInteger}
    columns = (sqlalchemy.Column(f.name, kinds.get(str(f.type), sqlalchemy.Boolean)) for f in schema)
    table = sqlalchemy.Table(out.table, sqlalchemy.MetaData(), *columns)
    try:
        engine = sqlalchemy.create_engine(out.at, hide_parameters=True, poolclass=sqlalchemy.NullPool)
        if engine.dialect.name == "sqlite" and engine.url.database:
            Path(engine.url.database).touch(mode=OWNER_ALONE)  # of one that is there its owner decides who reads it
        _begin_at_once(engine)
        with engine.begin() as db:
            table.drop(db, checkfirst=True)
            table.create(db)
            yield lambda rows: _drop(db.execute(table.insert(), rows.to_pylist()) if rows.num_rows else None)
    except (SQLAlchemyError, ImportError, ValueError, OSError) as problem:
        what = f"The database of --out could not be written ({type(problem).__name__})."
        raise ServiceError(what, hint="Check the address, the login and the right to make tables.") from None


def _begin_at_once(engine: Any) -> None:
    """SQLite's driver ends a transaction at each CREATE; told to leave transactions alone it does not."""
    from sqlalchemy import event

    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _leave_alone(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
