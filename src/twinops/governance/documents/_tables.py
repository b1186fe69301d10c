"""Rows of the tables that documents show: quantities beside their baselines, and groups beside the rest."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from twinops.entities.baselines import GAIN
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.legal import DataSheet
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.governance.words import words


@dataclass(frozen=True)
class Quantity:
    """One quantity: the twin's measure, each baseline's, and the paired gains over them."""

    name: str
    meaning: str
    twin: Measure | None
    baselines: tuple[Measure, ...]
    gains: tuple[Measure, ...]

    @property
    def n(self) -> str:
        """What the twin's measure rests on."""
        return f"{self.twin.n:,} {self.twin.unit_of_n}" if self.twin else ""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Everything the row shows."""
        return (*((self.twin,) if self.twin else ()), *self.baselines, *self.gains)


def quantities(evidence: Evidence) -> tuple[Quantity, ...]:
    """A row per quantity for which a gain over some baseline or a known meaning exists."""
    names = {m.name.split(GAIN)[0] for m in evidence.measures if GAIN in m.name}
    meaning = {m.name: says for says, m in evidence.read_as(Section.ACCURACY)}
    return tuple(_quantity(name, meaning.get(name, ""), evidence) for name in sorted({*names, *meaning}))


def headline_measures(evidence: Evidence) -> list[Measure]:
    """The twin's own measure of every quantity."""
    return [row.twin for row in quantities(evidence) if row.twin]


def _quantity(name: str, meaning: str, evidence: Evidence) -> Quantity:
    beside = evidence.starting(f"{name}.")
    return Quantity(
        name,
        meaning,
        evidence.measure(name),
        tuple(m for m in beside if GAIN not in m.name),
        tuple(m for m in beside if GAIN in m.name),
    )


def fairness_groups(evidence: Evidence) -> Fact | None:
    """The fact that holds every assessed group."""
    return evidence.fact("fairness_groups")


def figure(measure: Measure) -> str:
    """Value, interval and unit; what it rests on stands in its own column."""
    interval = "" if measure.low is None or measure.high is None else f" [{measure.low:.4g}, {measure.high:.4g}]"
    return f"{measure.value:.4g}{interval}{' ' + measure.unit if measure.unit else ''}"


@dataclass(frozen=True)
class SourceRow:
    """Sources that say the same of where they come from and whose they are; where bases differ they stand apart."""

    names: str
    provenance: str
    synthetic: bool
    controller: str
    bases: str
    kept: str
    facts: tuple[Fact, ...]


def sources(evidence: Evidence) -> tuple[SourceRow, ...]:
    """A row per provenance and controller, as the sources declare them."""
    found: dict[tuple[str, bool, str], list[Fact]] = {}
    for fact in evidence.sources:
        said = fact.value
        about = (str(said.get("provenance")), said.get("synthetic") is True, words(said.get("controller")))
        found.setdefault(about, []).append(fact)
    return tuple(
        SourceRow(
            names=", ".join(called(f) for f in facts),
            provenance=provenance,
            synthetic=synthetic,
            controller=controller,
            bases=_apart(facts, "bases"),
            kept=_apart(facts, "retention_days"),
            facts=tuple(facts),
        )
        for (provenance, synthetic, controller), facts in found.items()
    )


def _apart(facts: list[Fact], part: str) -> str:
    """What all of them declare, or each what it declares."""
    said = {called(f): words(f.value.get(part)).replace("_", " ").replace("; ", ", ") for f in facts}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{name} ({text})" for name, text in said.items())


def of_own(evidence: Evidence) -> bool:
    """The receipt lines are the controller's own, declared in `params.yaml`."""
    return "own" in evidence.table("source.transactions")


def sheet(evidence: Evidence) -> DataSheet:
    """What the source of receipt lines declares of whom the data are about; nothing declared: what is true of any."""
    said = evidence.table("data_sheet")
    return DataSheet(**{f.name: said[f.name] for f in fields(DataSheet) if f.name in said})


def called(fact: Fact) -> str:
    """A source by its name, one of your own by both."""
    name, own = fact.name.removeprefix("source."), fact.value.get("own")
    return f"{name} (own.{own})" if own else name


@dataclass(frozen=True)
class GroupRow:
    """One assessed group, as text; what is not known or too small to show says so."""

    attribute: str
    group: str
    households: str
    selection_rate: str
    ratio: str
    among_shoppers: str
    tells: str
    calibration: str


def per_group(evidence: Evidence) -> tuple[GroupRow, ...]:
    """A row per attribute and group; nothing when the fact is absent or has another shape."""
    fact = fairness_groups(evidence)
    rows = fact.value if fact else ()
    return tuple(_group(r) for r in rows if isinstance(r, dict)) if isinstance(rows, (list, tuple)) else ()


def _group(row: dict[str, Any]) -> GroupRow:
    return GroupRow(
        attribute=str(row.get("attribute")).replace("_", " "),
        group=str(row.get("group")),
        households="too few to show" if row.get("n") is None else words(row["n"]),
        selection_rate=_estimate(row.get("selection_rate")),
        ratio=_estimate(row.get("rate_over_rest")),
        among_shoppers=_estimate(row.get("rate_over_rest_among_shoppers")),
        tells="yes" if row.get("tells_by_itself") is True else "too small to be told by itself",
        calibration=_estimate(row.get("predicted_over_actual_spend")),
    )


def _estimate(found: Any) -> str:
    if not isinstance(found, dict) or not {"value", "low", "high"} <= found.keys():
        return "too few to show"
    return f"{found['value']:.3g} [{found['low']:.3g}, {found['high']:.3g}]"
