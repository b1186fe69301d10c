"""Every row that is held or was made of one person, as plain values: nobody else's, and days as dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from twinops import plugins
from twinops.data.own_sources.law import SOURCES, law_of
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.day_count import DayCount
from twinops.entities.legal import LegalFacts
from twinops.whole_files import told_in
from twinops.workflows.receipts import Receipts
from twinops.workflows.subject.third_persons import WITHHELD, tells_of_others
from twinops.workflows.twin.access import SID, derived
from twinops.workflows.twin.show import NOTHING

DAYS = frozenset(
    {"day", "start_day", "end_day", "opened", "closed", "registered", "updated", "since", "cutoff", "birth_day"}
)
"""Columns that hold the project's day numbers."""
PROFILES = ("registrations", "crm", "social_accounts", "demographics")
"""Sources in which a person tells of themselves: what is written there is their own."""
SCORES = "scores"
LABEL, TOPIC = "label", "topic_"
"""Columns of what was read of a text: no label, nothing was."""
ANOTHER = "[withheld: names another record (GDPR art. 15(4))]"


@dataclass(frozen=True)
class HeldRows:
    """Rows of one source, or of one table that was made; `law` of sources alone. `withheld`: cells, and why."""

    name: str
    words: str
    rows: tuple[dict[str, Any], ...]
    law: LegalFacts | None = field(default=None, repr=False)
    withheld: int = 0

    @property
    def of_law(self) -> LegalFacts:
        """The legal facts of a source."""
        if self.law is None:
            raise LookupError(f"{self.name} was made, and is no source")
        return self.law

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns in order."""
        return tuple(self.rows[0]) if self.rows else ()


@dataclass(frozen=True)
class OnePerson:
    """One person's records, and the tables in which they may stand; `own` are the words of their profiles."""

    receipts: Receipts
    sids: tuple[str, ...]

    @property
    def tables(self) -> SealedTables:
        """The tables, with the frames of these records alone."""
        return self.receipts.plane.tables.of(self.sids)

    def sources(self) -> Iterator[HeldRows]:
        """What each source holds."""
        law, own = law_of(self.receipts.own), self._own_words()
        for name in plugins.names(SOURCES):
            table = self.tables.source(name, otherwise=NOTHING)
            if table.num_rows:
                rows, withheld = self._plain(table, own=own if name not in PROFILES else None, coded=coded(name))
                yield HeldRows(name, law[name].collected_from, rows, law[name], withheld)

    def made(self) -> Iterator[HeldRows]:
        """What was made of it, one table a name, and the lists of scores that lie in `live/`."""
        found: dict[str, list[HeldRows]] = {}
        places = self.receipts.plane.places
        for words, path, dataset in derived(places):
            apart = "_apart" if path.parent.name == "holdout" and "predictions" not in dataset else ""
            self._add(found, f"{dataset}{apart}", words, self.tables.table(path, dataset=dataset, otherwise=NOTHING))
        for path in sorted(places.live("").glob("*.parquet.json")):
            with told_in(path, hint="Delete it with the list beside it, and score again.") as about:
                told = {column: str(about[column]) for column in ("as_of", "purpose")}
            rows = self.tables.table(path.with_suffix(""), dataset=SCORES, otherwise=NOTHING)
            for column in ("as_of", "purpose"):
                rows = rows.append_column(column, pa.array([told[column]] * rows.num_rows, pa.string()))
            self._add(found, SCORES, "lists of scores, and whom the declared decision picked", rows)
        yield from map(_joined, found.values())

    def _add(self, found: dict[str, list[HeldRows]], name: str, words: str, table: pa.Table) -> None:
        if table.num_rows:
            rows, withheld = self._plain(table, own=None)
            found.setdefault(name, []).append(HeldRows(name, words, rows, withheld=withheld))

    def _own_words(self) -> tuple[str, ...]:
        """What the profiles say of the person: names and addresses that are no stranger's."""
        found = []
        for name in PROFILES:
            table = self.tables.source(name, otherwise=NOTHING)
            found += [str(v) for row in table.to_pylist() for k, v in row.items() if k != SID and v is not None]
        return tuple(found)

    def _plain(
        self, table: pa.Table, *, own: tuple[str, ...] | None, coded: frozenset[str] = frozenset()
    ) -> tuple[tuple[dict[str, Any], ...], int]:
        numbers = {sid: n for n, sid in enumerate(self.sids, start=1)}
        rows, withheld = [], 0
        for row in table.to_pylist():
            plain = {"your_record": numbers[str(row.pop(SID))]}
            for name, value in row.items():
                told = self._told(name, value, numbers, None if name in coded else own)
                withheld += told in (ANOTHER, WITHHELD)
                plain[name] = told
            rows.append(_unread(plain))
        return tuple(rows), withheld

    def _told(self, name: str, value: Any, numbers: Mapping[str, int], own: tuple[str, ...] | None) -> Any:
        if name in DAYS and isinstance(value, int):
            return self._date(value)
        if not isinstance(value, str):
            return value.hex() if isinstance(value, bytes) else value
        if _is_sid(value):
            return f"your record {numbers[value]}" if value in numbers else ANOTHER
        return WITHHELD if own is not None and tells_of_others(value, own) else value

    def _date(self, day: int) -> str | int:
        count: DayCount = self.receipts.days
        try:
            return count.date_of(day).isoformat()
        except (OverflowError, ValueError):
            return day


def _unread(row: dict[str, Any]) -> dict[str, Any]:
    """Of a text that was not read no topic is known: zero there says nothing."""
    if row.get(LABEL, "") is not None:
        return row
    return {name: None if name.startswith(TOPIC) else value for name, value in row.items()}


def _joined(tables: list[HeldRows]) -> HeldRows:
    """Tables of one name as one; what one of them has no column for is null."""
    columns = tuple(dict.fromkeys(c for t in tables for c in t.columns))
    rows = tuple({c: row.get(c) for c in columns} for t in tables for row in t.rows)
    return replace(tables[0], rows=rows, withheld=sum(t.withheld for t in tables))


def coded(source: str) -> frozenset[str]:
    """Columns of a source that hold words of a closed list: nobody writes of anybody in them."""
    return frozenset(c.name for c in plugins.load(SOURCES, source).SCHEMA.columns if c.allowed is not None)


def _is_sid(value: str) -> bool:
    return len(value) == 32 and all(c in "0123456789abcdef" for c in value)
