"""Go through every sealed file and say of every column why it is held, on which basis, how long and from where."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq

from twinops import plugins
from twinops.data.linkage.intake import COMPARED
from twinops.data.own_sources.law import law_of
from twinops.data.vault.sealed_file import damage, label_of, subjects_in
from twinops.entities.consent import Purpose
from twinops.entities.held import Held
from twinops.entities.legal import LegalFacts
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.errors import DataError
from twinops.governance.law.data_map import as_csv, as_jsonld, as_table
from twinops.governance.law.intended_use import read as read_use
from twinops.governance.reading import law as law_terms
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.ports import ColumnLineage, KeyStore
from twinops.twin.table_lineage import SEALED_FROM, SOURCES, subject_of
from twinops.workflows.places import Places

SID = "sid"
RAW = "raw/"
QUARANTINE = "quarantine/"
TRUTH = "truth/"
QUARANTINE_DAYS = 30
EVALUATION, NOT_PERSONAL = "demo_evaluation", "not_personal_data"
_GENERATOR = "the generator of the synthetic sources, from nobody"
_GENERATED = (
    "Synthetic: what a generator knows of what it made. It is about nobody, and is read only to measure the errors of "
    "linkage, inference and sentiment."
)
_SYNTHETIC = "https://w3id.org/dpv#SyntheticData"
DERIVED = "https://w3id.org/dpv/pd#Profile"
TOLD_BIRTHS = {SID: frozenset({"demographics.sid"}), "birth_day": frozenset({"demographics.born"})}
"""What a customer told of themselves knows birthdays too, where the shop has such a column."""
Purposes = dict[str, str]


@dataclass(frozen=True)
class DataMap:
    """All columns held, in order of table, and the map in each format."""

    rows: tuple[Held, ...]
    dpv: dict[str, str]

    def text(self, format_: str) -> str:
        """As `table`, `csv` or `jsonld`."""
        if format_ == "jsonld":
            return as_jsonld(self.rows, self.dpv)
        return as_csv(self.rows) if format_ == "csv" else as_table(self.rows)

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Columns that are held and that nobody declared a purpose for: there should be none."""
        return tuple(f"{r.table}.{r.column}" for r in self.rows if not r.declared)


def data_map(places: Places, *, keys: KeyStore, lineage: ColumnLineage, own: OwnParams = NOTHING_OWN) -> DataMap:
    """The record of what lies sealed in this folder. Only labels and subject ids are read; no row is opened.

    With sources of your own an empty table is left out: what the shipped sources declare says nothing of you.

    Raises:
        DataError: nothing was collected yet.
    """
    tables = _tables(places.root / "data")
    if not tables:
        raise DataError("Nothing is held: there is no sealed file.", hint="Run `dvc repro`, or `dvc pull`.")
    shelves = {name: plugins.load(SOURCES, name) for name in plugins.names(SOURCES)}
    # of sources of your own that are not there nothing is made, whatever the pipeline could make of them
    there = {f"{n.removeprefix(RAW)}.{c}" for n, t in tables.items() if n.startswith(RAW) and t.rows for c in t.columns}
    sources = _Sources(shelves, law_of(own), lineage, frozenset(there) if own.root else None)
    rows = [
        h
        for name, table in sorted(tables.items())
        if not own.root or table.rows
        for h in sources.held(name, table.columns, _count(table.sids(), keys))
    ]
    use = read_use((places.compliance / "intended_use.yaml").read_text(encoding="utf-8"))
    research = {EVALUATION: law_terms("dpv_terms")["terms"]["purposes"]["rnd"]}
    return DataMap(_with_derived(rows), {**{name: p.dpv for name, p in use.purposes.items()}, **research})


@dataclass(frozen=True)
class _Table:
    """Columns and files of one sealed dataset; quarantine is filed by batch, not by subject."""

    columns: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def rows(self) -> int:
        """How many rows its files hold."""
        return sum(map(_rows_in, self.files))

    def sids(self) -> set[bytes] | None:
        if SID not in self.columns:
            return None
        return {bytes.fromhex(s) for s in subjects_in(self.files)}


def _rows_in(file: Path) -> int:
    with damage(file):
        return int(pq.read_metadata(file).num_rows)


def _tables(folder: Path) -> dict[str, _Table]:
    found: dict[str, _Table] = {}
    for path in sorted(folder.rglob("*.parquet")):
        label = label_of(path)
        if label is None:
            continue
        own = () if label.dataset.startswith(QUARANTINE) else (SID,)
        within = next((place for place in (RAW, TRUTH) if path.is_relative_to(folder / place)), "")
        name = f"{within}{label.dataset}"
        columns = (*own, *(c.name for c in label.columns))
        before = found.get(name, _Table((), ()))
        found[name] = _Table(tuple(dict.fromkeys((*before.columns, *columns))), (*before.files, path))
    return found


def _count(sids: set[bytes] | None, keys: KeyStore) -> int | None:
    """Subjects that still have a key."""
    if sids is None:
        return None
    held = len(keys.subject_keys([s.hex() for s in sorted(sids)]))
    return held if held >= SMALLEST_CELL else None


@dataclass(frozen=True)
class _Sources:
    """What the sources declare, and what follows from it for tables made of them."""

    shelves: dict[str, ModuleType]
    law: dict[str, LegalFacts]
    lineage: ColumnLineage
    there: frozenset[str] | None = None
    """Columns that hold rows, as `source.column`, where sources are your own; None: all that the pipeline knows."""

    def held(self, table: str, columns: Iterable[str], subjects: int | None) -> Iterator[Held]:
        """What the columns of a table are held for; nothing where they tell of nobody, as goods do."""
        if table.removeprefix(RAW) in self.shelves and table.startswith(RAW):
            yield from (self._source(table, c, subjects) for c in columns)
        elif table.startswith(QUARANTINE) and table.removeprefix(QUARANTINE) not in self.law:
            return
        elif table.startswith(QUARANTINE):
            yield from self._quarantined(table, columns)
        elif table.startswith(TRUTH):
            yield from (self._generated(table, c, subjects) for c in columns)
        else:
            yield from (self._made(table, c, subjects) for c in columns)

    def _source(self, table: str, column: str, subjects: int | None) -> Held:
        name = table.removeprefix(RAW)
        legal = self.law[name]
        return Held(
            table=table,
            column=column,
            kind="source",
            purposes=tuple(self._purposes(name, column).items()),
            personal_data=legal.personal_data,
            retention_days=legal.retention_days,
            controller=legal.controller,
            collected_from=legal.collected_from,
            notice=legal.notice,
            provenance=legal.provenance,
            synthetic=legal.synthetic,
            subjects=subjects,
        )

    def _generated(self, table: str, column: str, subjects: int | None) -> Held:
        """Kept as long as the sources it is the truth about, for their evaluation alone."""
        about = [self.law[s] for s in _generated_with(table.removeprefix(TRUTH)) if s in self.law]
        return Held(
            table=table,
            column=column,
            kind="truth",
            purposes=((EVALUATION, NOT_PERSONAL),),
            personal_data=_SYNTHETIC,
            retention_days=min((d for x in about if (d := x.retention_days) is not None), default=None),
            controller="; ".join(sorted({x.controller for x in about})),
            collected_from=_GENERATOR,
            notice="none: nobody is told of",
            provenance=_GENERATED,
            synthetic=True,
            subjects=subjects,
        )

    def _purposes(self, name: str, column: str) -> Purposes:
        """The purposes a sealed column is declared for, each with its basis; `*`: what all of them are for."""
        legal = self.law[name]
        raw = {SID: subject_of(self.shelves[name])}.get(column, SEALED_FROM.get(name, {}).get(column, column))
        of_own = {"transaction_timestamp": "time", "sales_value": "unit_price"}.get(raw, raw)
        stands_for = next((c for c in (column, raw, of_own) if c in legal.columns), None)
        wanted = set(legal.columns[stands_for]) if stands_for else set()
        # your own source may have no such column: nothing is in it then
        if column == "*" or (stands_for is None and not legal.demo):
            wanted = set(Purpose).intersection(*map(set, legal.columns.values()))
        return {p.value: legal.bases[p].value for p in sorted(wanted) if p in legal.bases}

    def _quarantined(self, table: str, columns: Iterable[str]) -> Iterator[Held]:
        """Rejected rows are kept for mending, for what the source is for, and no longer than that takes."""
        name = table.removeprefix(QUARANTINE)
        for column in columns:
            like = self._source(f"{RAW}{name}", "*", None)
            purposes = self._purposes(name, column)
            yield replace(
                like, table=table, column=column, kind="quarantine", retention_days=QUARANTINE_DAYS,
                purposes=tuple(purposes.items()) or like.purposes,
            )  # fmt: skip

    def _made(self, table: str, column: str, subjects: int | None) -> Held:
        """A derived column serves what all it is made from serves, on every basis among them, for the shortest time."""
        origins = self._origins(table, column)
        names = sorted({o.partition(".")[0] for o in origins} & self.shelves.keys())
        legal = [self.law[n] for n in names]
        return Held(
            table=table,
            column=column,
            kind="derived",
            purposes=tuple(_common([self._purposes(*o.split(".", 1)) for o in sorted(origins)]).items()),
            personal_data=DERIVED,
            retention_days=min((d for x in legal if (d := x.retention_days) is not None), default=None),
            controller="; ".join(sorted({x.controller for x in legal})),
            collected_from=f"made by the pipeline from {', '.join(names) or 'its parameters'}",
            notice="; ".join(sorted({x.notice for x in legal})),
            provenance=f"Derived from {', '.join(names)}.",
            synthetic=any(x.synthetic for x in legal),
            subjects=subjects,
            made_from=tuple(sorted(origins)),
        )

    def _origins(self, table: str, column: str) -> frozenset[str]:
        """What a column is made from; where all of that is not there, what its row is there from."""
        known = self._known(table, column)
        if self.there is None:
            return known
        if table == "births" and "demographics.born" in self.there:
            known |= TOLD_BIRTHS[column]
        sources = {c.partition(".")[0] for c in self.there}
        found = frozenset(o for o in known if o.partition(".")[0] in sources)
        return found if found or column == SID else self._origins(table, SID)

    def _known(self, table: str, column: str) -> frozenset[str]:
        """Made from parameters alone, a column still says that its row is there."""
        if table not in self.lineage.tables:
            return frozenset()
        if column not in self.lineage.columns(table):  # `<comparison>_level` of a pair, as many as were compared
            return self.lineage.of(f"{table}.probability") if column.endswith("_level") else frozenset()
        return self.lineage.of(f"{table}.{column}") or frozenset(f"{s}.*" for s in self.lineage.rows_from(table))


def _generated_with(truth: str) -> tuple[str, ...]:
    """The sources that a table of truth was generated with."""
    return (*COMPARED,) if truth == "identities" else (truth.removeprefix("truth_"),)


def _common(each: list[Purposes]) -> Purposes:
    """Purposes that are declared for every one of them."""
    if not each:
        return {}
    shared = set(each[0]).intersection(*each[1:])
    return {p: ", ".join(sorted({ps[p] for ps in each})) for p in sorted(shared)}


def _with_derived(rows: list[Held]) -> tuple[Held, ...]:
    made: dict[str, list[str]] = {}
    for row in rows:
        for origin in row.made_from:
            made.setdefault(origin, []).append(f"{row.table}.{row.column}")
    return tuple(
        replace(r, derived=tuple(sorted(made.get(f"{r.table.removeprefix(RAW)}.{r.column}", []))))
        if r.kind == "source"
        else r
        for r in rows
    )
