"""The bridge between the planes: what was measured, declared and said about one candidate, without personal data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from twinops.entities.canonical import digest, from_json, to_json
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.entities.shown import Presentation, Section
from twinops.entities.wording import FACT, NEUTRAL, Wording

SCHEMA = "twinops.evidence/1"
JUDGED_ON = "judged_on"


@dataclass(frozen=True)
class Evidence:
    """Measures and facts about the candidate with this key, as of a day. Only this is judged.

    `model` is the registered model's name, `key` the digest of everything the candidate was made from. `shown` is how
    those who measured want measures and pictures to be read; no gate judges by it.
    """

    model: str
    key: str
    as_of: date
    measures: tuple[Measure, ...] = ()
    facts: tuple[Fact, ...] = ()
    shown: tuple[Presentation, ...] = ()

    def __post_init__(self) -> None:
        words, captions = ([s for s in self.shown if s.picture is kind] for kind in (False, True))
        named: dict[str, Sequence[Measure | Fact | Presentation]] = {
            "measure": self.measures,
            "fact": self.facts,
            "words of a measure": words,
            "caption": captions,
        }
        for kind, items in named.items():
            names = [i.name for i in items]
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise ValueError(f"{kind} given twice: {', '.join(twice)}")
        object.__setattr__(self, "measures", tuple(sorted(self.measures, key=lambda m: m.name)))
        object.__setattr__(self, "facts", tuple(sorted(self.facts, key=lambda f: f.name)))

    def measure(self, name: str) -> Measure | None:
        """The measure of that name, or None: a missing measure is missing, not zero."""
        return next((m for m in self.measures if m.name == name), None)

    def fact(self, name: str) -> Fact | None:
        """The fact of that name, or None."""
        return next((f for f in self.facts if f.name == name), None)

    @property
    def judged_on(self) -> date | None:
        """The day on which it is judged, as somebody with a clock wrote it among the facts."""
        fact = self.fact(JUDGED_ON)
        try:
            return date.fromisoformat(fact.value) if fact and isinstance(fact.value, str) else None
        except ValueError:
            return None

    def value(self, name: str, *path: str) -> Any:
        """The bare value of a fact, or of the part of it at `path`; None when there is none."""
        fact = self.fact(name)
        found = fact.value if fact else None
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    def table(self, name: str, *path: str) -> dict[str, Any]:
        """The same, where a table is wanted; empty when it is none."""
        found = self.value(name, *path)
        return found if isinstance(found, dict) else {}

    @cached_property
    def wording(self) -> Wording:
        """The declared words for whom the data are about and for their money; neutral ones where none can be read."""
        try:
            return Wording(**self.table(FACT))
        except (TypeError, ValueError):
            return NEUTRAL

    @property
    def sources(self) -> tuple[Fact, ...]:
        """Facts in which a source declares what it is, each a table."""
        return tuple(f for f in self.facts if f.name.startswith("source.") and isinstance(f.value, dict))

    def starting(self, prefix: str) -> tuple[Measure, ...]:
        """All measures whose name begins so, in order of name."""
        return tuple(m for m in self.measures if m.name.startswith(prefix))

    def read_as(self, section: Section) -> tuple[tuple[str, Measure], ...]:
        """What the measures of a section say, each with its measure; those that were not measured are left out."""
        return tuple((s.says, m) for s in self.shown if s.section is section and (m := self._of(s)))

    @property
    def headlines(self) -> tuple[Measure, ...]:
        """Measures that are told first, in the order in which they were found."""
        return tuple(m for s in self.shown if s.headline and (m := self._of(s)))

    @property
    def captions(self) -> dict[str, str]:
        """Pictures by the names of their files, in the order of the card's sections, each with what it shows."""
        order = [None, *Section]
        drawn = sorted((s for s in self.shown if s.picture), key=lambda s: order.index(s.section))
        return {s.name: s.says for s in drawn}

    def _of(self, shown: Presentation) -> Measure | None:
        return None if shown.picture else self.measure(shown.name)

    def joined(self, measures: Iterable[Measure] = (), facts: Iterable[Fact] = ()) -> Evidence:
        """The same evidence with more of it."""
        return replace(self, measures=(*self.measures, *measures), facts=(*self.facts, *facts))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything in it."""
        return digest(self._body())

    def _body(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "model": self.model,
            "key": self.key,
            "as_of": self.as_of.isoformat(),
            "measures": [m.to_dict() for m in self.measures],
            "facts": [f.to_dict() for f in self.facts],
            **({"shown": [s.to_dict() for s in self.shown]} if self.shown else {}),
        }

    def to_json(self) -> str:
        """The file `reports/evidence.json`: the body and its digest, sorted and indented."""
        return to_json({**self._body(), "digest": self.digest}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """Read what `to_json` wrote.

        Raises:
            ValueError: not our schema, or the digest does not fit the content.
        """
        raw = from_json(text)
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            raise ValueError(f"this is not an Evidence file of schema {SCHEMA}")
        evidence = cls(
            model=raw["model"],
            key=raw["key"],
            as_of=date.fromisoformat(raw["as_of"]),
            measures=tuple(Measure.from_dict(m) for m in raw["measures"]),
            facts=tuple(Fact.from_dict(f) for f in raw["facts"]),
            shown=tuple(Presentation.from_dict(s) for s in raw.get("shown", ())),
        )
        if raw.get("digest") != evidence.digest:
            raise ValueError("the digest does not fit the content: the file was changed after it was written")
        return evidence
