"""Why two records were joined, or not: fields and bits, what a person decided; what they hold on a terminal alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinops.data.linkage.explain import FIELDS, explained
from twinops.data.linkage.intake import COMPARED
from twinops.data.linkage.model import Model
from twinops.entities.persons import decisions, sid_of
from twinops.whole_files import told_in
from twinops.workflows.links.pairs import Linkage, RecordPair
from twinops.workflows.subject.desk import Desk

UNWEIGHED = "The last run found no reason to compare these two, or joined them by way of others."


@dataclass(frozen=True)
class PairExplained:
    """In words, without anybody's data; `values` holds both records' side by side, for the eyes of who decides."""

    code: str
    words: str
    decided: str
    values: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)

    def text(self) -> str:
        """For a terminal."""
        rows = [f"{name:>10}  {one:<34.34}  {other:.34}" for name, one, other in self.values]
        return "\n".join([self.code, self.words, *([self.decided] if self.decided else []), *rows])


def explain(one: str, other: str, *, desk: Desk, values: bool = False) -> PairExplained:
    """Explain a pair, named by its code (`other` empty) or by two records.

    Raises:
        DataError: there is no such pair.
    """
    pair = Linkage(desk).pair(one, other)
    weighed = bool(pair.tie) and desk.places.linkage_model.is_file()
    words = str(explained(pair.tie, _model(desk))) if weighed else UNWEIGHED
    stands = next((d for d in decisions(desk.rights.entries()) if d.records == {pair.one, pair.other}), None)
    said = ""
    if stands is not None:
        said = f"{stands.by} decided on {stands.at.date()}: {'one person' if stands.same else 'two persons'}."
    return PairExplained(pair.code, words, said, _side_by_side(pair, desk) if values else ())


def _model(desk: Desk) -> Model:
    with told_in(desk.places.linkage_model) as told:
        return Model.from_dict(told)


def _side_by_side(pair: RecordPair, desk: Desk) -> tuple[tuple[str, str, str], ...]:
    sides = [_values(record, desk) for record in (pair.one, pair.other)]
    names = [n for n in dict.fromkeys(("name", *FIELDS, "street", "postcode", "city")) if any(n in s for s in sides)]
    return tuple((name, sides[0].get(name, ""), sides[1].get(name, "")) for name in names)


def _values(record: str, desk: Desk) -> dict[str, str]:
    source = record.rpartition(":")[0]
    rows = desk.receipts.plane.tables.of([sid_of(record)]).source(source).to_pylist()
    found = rows[0] if rows else {}
    named = ((name, found.get(column)) for name, column in COMPARED[source].items() if name != "card")
    return {name: "".join(c for c in str(value) if c.isprintable()) for name, value in named if value is not None}
