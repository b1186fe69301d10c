"""Assemble the model card: four pages on what the twin is for, what was decided and why, and whom it serves worse.

Sections after Mitchell et al. 2019 (doi:10.1145/3287560.3287596), in the form that `huggingface_hub` reads. Everything
else stands in the appendix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml
from markupsafe import Markup

from twinops.entities.baselines import BEST, GAIN
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.verdict import Outcome, Verdict
from twinops.governance.citations import cite, said
from twinops.governance.documents import _blended, _tables
from twinops.governance.documents._evidence import opened
from twinops.governance.documents._tables import Quantity, figure, headline_measures, of_own, quantities, sheet
from twinops.governance.documents.appendix import Appendix
from twinops.governance.law.intended_use import LICENCE
from twinops.governance.markdown import plain, render
from twinops.governance.open_fields import FACT as OPEN_FACT
from twinops.governance.policy.decide import Decision
from twinops.governance.verdicts.brief import Brief, brief, first_words
from twinops.governance.verdicts.explain import headline_so_far, in_order, later
from twinops.governance.words import words

FILES = ("README.md",)


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`README.md`, the card."""
    shown = {"card": Card(evidence, decision), "evidence": evidence, "words": words, "tables": _tables}
    shown["blended"] = _blended
    return {
        "README.md": _metadata(evidence, decision)
        + "\n"
        + opened(render("model_card.md.j2", shown), evidence, "[*open*](#open-points)")
    }


@dataclass(frozen=True)
class Card(Appendix):
    """What the template of the card may ask for beside. Everything it hands out carries its citation."""

    @property
    def brief(self) -> Brief:
        """The page that comes before all others."""
        return brief(self.evidence, self.decision)

    def decided(self) -> str:
        """The decision in a sentence. That it is a trial stands above it in every document, with its citation."""
        return plain(headline_so_far(self.decision))

    def gravest_first(self) -> list[Verdict]:
        """Every verdict, what does not pass first."""
        return in_order(self.decision)

    def why(self, verdict: Verdict) -> str:
        """The sentence of a verdict: whole where somebody must act, else its beginning."""
        return first_words(verdict.sentence, 240 if verdict.outcome is not Outcome.PASSED else 120)

    def open_points(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """What is open in which file, by whom it must be said."""
        found: dict[tuple[str, str], list[str]] = {}
        for one in self.value(OPEN_FACT) or ():
            found.setdefault((one["file"], one["who"]), []).append(one["field"])
        return tuple((file, who, tuple(fields)) for (file, who), fields in sorted(found.items()))

    def headlines(self) -> tuple[tuple[Quantity, str, Markup], ...]:
        """Headline quantities, the strongest baseline with the twin's gain over it, and the citation of both."""
        names = {s.name for s in self.evidence.shown if s.headline and s.section is Section.ACCURACY}
        rows = [q for q in quantities(self.evidence) if q.twin and q.name in names]
        return tuple((q, *_strongest(q)) for q in rows)

    def learned_from(self) -> tuple[Markup, ...]:
        """Which sources, those that are made up apart from the others."""
        found = [(f.value.get("synthetic") is True, f) for f in self.evidence.sources]
        told = (("Sources", False), ("Synthetic sources", True))
        named = ((words, [f for made_up, f in found if made_up is kind]) for words, kind in told)
        return tuple(said(f"{words}: {', '.join(map(_called, facts))}", *facts) for words, facts in named if facts)

    def picture(self, section: str) -> tuple[str, str] | None:
        """The first picture of a section with its caption."""
        found = (s for s in self.evidence.shown if s.picture and s.section is Section(section))
        first = next(found, None)
        return (first.name, first.says) if first else None


def _called(fact: Fact) -> str:
    """A source by its name, and one of your own by both."""
    own = fact.value.get("own")
    name = fact.name.removeprefix("source.").replace("_", " ")
    return f"{name} (own.{own})" if own else name


def _strongest(row: Quantity) -> tuple[str, Markup]:
    """The baseline that the twin gains least over."""
    named = (m for m in row.gains if not m.name.endswith(GAIN + BEST))
    least = min(named, key=lambda m: m.value, default=None)
    twin = (row.twin,) if row.twin else ()
    if least is None:
        return "none", cite(*twin)
    return f"{least.name.partition(GAIN)[2]}: {figure(least)}", cite(*twin, least)


def _license(evidence: Evidence) -> dict[str, str]:
    told = str(evidence.value("intended_use.model_license") or "")
    return {"license": told} if re.fullmatch(LICENCE, told) else {}


def _metadata(evidence: Evidence, decision: Decision) -> str:
    metadata = {
        "language": "en",
        # where nobody has said under which licence the model is given away, it is under none
        **_license(evidence),
        "library_name": "twinops",
        "pipeline_tag": "tabular-regression",
        "tags": ["tabular", "consumer-twin", "governance"],
        "datasets": [_dataset(evidence)],
        "metrics": sorted({m.name.split(".")[0] for m in headline_measures(evidence)}),
        "model_name": evidence.model,
        "model-index": [
            {"name": evidence.model, "results": [_result(m, evidence) for m in headline_measures(evidence)]}
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


def _dataset(evidence: Evidence) -> str:
    """The data's short name; one of the controller's own has no public one."""
    fact = evidence.fact("source.transactions")
    return f"own.{fact.value['own']}" if fact and of_own(evidence) else sheet(evidence).short


def _result(measure: Measure, evidence: Evidence) -> dict[str, Any]:
    return {
        "task": {"type": "tabular-regression", "name": "predict the next purchases of a consumer"},
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
