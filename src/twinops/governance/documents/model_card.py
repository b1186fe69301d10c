"""Assemble the model card: what the twin is for, on what it was measured, whom it serves worse, what was decided.

Sections after Mitchell et al. 2019 (doi:10.1145/3287560.3287596), in the form that `huggingface_hub` reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from markupsafe import Markup

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.verdict import Verdict
from twinops.governance.citations import cite, said
from twinops.governance.documents import _blended, _tables
from twinops.governance.documents._evidence import CitedEvidence
from twinops.governance.documents._tables import (
    fairness_groups,
    of_own,
    quantities,
    sheet,
)
from twinops.governance.gates._shelf import of, told_in
from twinops.governance.markdown import plain, render
from twinops.governance.policy.decide import Decision
from twinops.governance.verdicts.explain import headline_so_far, later
from twinops.governance.words import words

FILES = ("README.md",)

_FACT_WIDTH = 160


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`README.md`, the card."""
    shown = {
        "card": Card(evidence, decision),
        "evidence": evidence,
        "words": words,
        "tables": _tables,
        "blended": _blended,
    }
    text = render("model_card.md.j2", shown)
    return {"README.md": _metadata(evidence, decision) + "\n" + text}


@dataclass(frozen=True)
class Card(CitedEvidence):
    """What the template of the card may ask for beside. Everything it hands out carries its citation."""

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
        for measure in _headline_measures(self.evidence):
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


def _metadata(evidence: Evidence, decision: Decision) -> str:
    metadata = {
        "language": "en",
        "license": "apache-2.0",
        "library_name": "twinops",
        "pipeline_tag": "tabular-regression",
        "tags": ["tabular", "consumer-twin", "grocery", "governance"],
        "datasets": [_dataset(evidence)],
        "metrics": sorted({m.name.split(".")[0] for m in _headline_measures(evidence)}),
        "model_name": evidence.model,
        "model-index": [
            {"name": evidence.model, "results": [_result(m, evidence) for m in _headline_measures(evidence)]}
        ],
        "twinops": {
            "key": evidence.key,
            "as_of": evidence.as_of.isoformat(),
            "evidence_digest": evidence.digest,
            "policy_version": decision.policy_version,
            "policy_digest": decision.policy_digest,
            "decision": decision.decision,
            "blocking": [gate for gate in decision.blocking if gate not in later(decision)],
            "judged_after_this_card": list(later(decision)),
        },
    }
    return f"---\n{yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=120)}---\n"


def _headline_measures(evidence: Evidence) -> list[Measure]:
    return [row.twin for row in quantities(evidence) if row.twin]


def _dataset(evidence: Evidence) -> str:
    """The data's short name; one of the controller's own has no public one."""
    fact = evidence.fact("source.transactions")
    return f"own.{fact.value['own']}" if fact and of_own(evidence) else sheet(evidence).short


def _result(measure: Measure, evidence: Evidence) -> dict[str, Any]:
    return {
        "task": {"type": "tabular-regression", "name": "predict the next purchases of a household"},
        "dataset": {
            "type": _dataset(evidence),
            "name": f"{sheet(evidence).name}, held-out as-of days",
            "split": "held-out",
        },
        "metrics": [
            {
                "type": measure.name,
                "value": measure.value,
                "name": f"{measure.name}: {_unbracketed(measure)} [{measure.id}]",
            }
        ],
    }


def _unbracketed(measure: Measure) -> str:
    """A measure in words, in which nothing passes for a citation."""
    return plain(measure).replace("[ev-", "(ev-")
