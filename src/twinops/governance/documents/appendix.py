"""Assemble the appendix of the model card: every measure and fact, each in its place and under its id."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.verdict import Verdict
from twinops.governance.citations import cite, said
from twinops.governance.documents import _blended, _tables
from twinops.governance.documents._evidence import CitedEvidence, opened
from twinops.governance.documents._tables import fairness_groups, headline_measures
from twinops.governance.gates._shelf import of, told_in
from twinops.governance.markdown import render
from twinops.governance.policy.decide import Decision
from twinops.governance.verdicts.explain import headline_so_far
from twinops.governance.words import words

FILES = ("appendix.md",)

_FACT_WIDTH = 160


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`appendix.md`."""
    shown = {
        "card": Appendix(evidence, decision),
        "evidence": evidence,
        "words": words,
        "tables": _tables,
        "blended": _blended,
    }
    return {"appendix.md": opened(render("appendix.md.j2", shown), evidence, "*not said yet*")}


@dataclass(frozen=True)
class Appendix(CitedEvidence):
    """What the template may ask for beside. Everything it hands out carries its citation."""

    UNKNOWN = Markup("**not known**")

    @property
    def headline(self) -> str:
        """What was decided, and what is judged only after this card."""
        return headline_so_far(self.decision)

    @property
    def model(self) -> str:
        """The registered name."""
        return self.evidence.model

    def measures_of(self, section: str) -> tuple[tuple[str, Markup], ...]:
        """What was measured for a section, as those who measured it say."""
        return tuple((says, said(str(m), m)) for says, m in self.evidence.read_as(Section(section)))

    def told_by_gates(self, section: str) -> tuple[Markup, ...]:
        """What gates add to a section."""
        return told_in(Section(section), self.evidence)

    def considered(self) -> tuple[tuple[str, Verdict], ...]:
        """Verdicts that are ethical considerations, each with the words that lead it in."""
        found = ((of(v, "CONSIDERED_AS"), v) for v in self.decision.verdicts if v.evidence)
        return tuple((leads, verdict) for leads, verdict in found if leads)

    def watched(self) -> tuple[tuple[str, str, Markup, Markup], ...]:
        """Groups that are easily exploited: who that is, how often they are chosen, and were contacted before."""
        groups = self.value("influence_groups")
        return tuple(
            (
                str(group).replace("_", " "),
                words(definition),
                self.measured(f"influence_ratio.{group}"),
                self.measured(f"influence_ratio.{group}.past"),
            )
            for group, definition in (sorted(groups.items()) if isinstance(groups, dict) else ())
        )

    def verdicts(self) -> tuple[tuple[Verdict, bool], ...]:
        """Every verdict, and whether its gate blocks."""
        return tuple((v, v.gate not in self.decision.advisory) for v in self.decision.verdicts)

    def settings(self) -> tuple[tuple[str, str, Markup], ...]:
        """On what and how the twin's own quantities were measured: source, method, and who says so."""
        found: dict[tuple[str, str], list[Measure]] = {}
        for measure in headline_measures(self.evidence):
            found.setdefault((measure.source, measure.method), []).append(measure)
        return tuple((source, method, cite(*measures)) for (source, method), measures in found.items())

    def groups_cited(self) -> Markup:
        """The citation of what the table of groups shows."""
        fact = fairness_groups(self.evidence)
        return cite(fact) if fact else Markup("")

    def short(self, fact: Fact) -> str:
        """A fact in at most one short line."""
        text = words(fact.value)
        return text if len(text) <= _FACT_WIDTH else text[: _FACT_WIDTH - 1] + "…"
