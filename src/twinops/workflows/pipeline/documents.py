"""Gather what was measured and declared into Evidence, judge it, and assemble the candidate's documents."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from twinops import plugins
from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.governance import citations
from twinops.governance.citations import said
from twinops.governance.documents.model_card_page import with_pictures
from twinops.governance.gates._trial import sentence, trial
from twinops.governance.log.manifest import NAME, manifest
from twinops.governance.markdown import inert
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.policy.limits import Policy
from twinops.ports import Lineage
from twinops.whole_files import write
from twinops.workflows.compliance_files import declarations
from twinops.workflows.declared_use import against_nobody
from twinops.workflows.evidence import CandidateFolder
from twinops.workflows.places import Places

SHELF = "twinops.governance.documents"
NONE: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True)
class Documented:
    """What was written and decided."""

    evidence: Evidence
    decision: Decision
    files: tuple[str, ...]


def documents(candidate: CandidateFolder, lineage: Lineage) -> Documented:
    """Write `reports/evidence.json` and the documents of the candidate; the manifest comes last.

    Raises:
        ParamsError: a compliance file is absent or holds mistakes, or data of real people have a made-up controller.
        DataError: nothing was measured yet, or two stages measured under one name.
        IntegrityError: a document states what no evidence carries; nothing is written then.

    """
    against_nobody(candidate.places, candidate.own)
    places, declared = candidate.places, declarations(candidate.places)
    evidence = declared.reviewed(candidate.gather(declared, key=lineage.candidate_key()))
    decision = decide(declared.rules, evidence)
    built = build(evidence, decision, _pictures(places, evidence))
    write(places.evidence, evidence.to_json())
    for name, text in built.items():
        write(places.card(candidate.named.model, name), text)
    return Documented(evidence, decision, tuple(built))


def anew(places: Places, evidence: Evidence, rules: Policy) -> dict[str, str]:
    """The documents as this evidence, this policy and the pictures that lie here make them; nothing is written."""
    return build(evidence, decide(rules, evidence), _pictures(places, evidence))


def _pictures(places: Places, evidence: Evidence) -> dict[str, bytes]:
    return {name: path.read_bytes() for name in evidence.captions if (path := places.figure(name)).is_file()}


def build(evidence: Evidence, decision: Decision, pictures: Mapping[str, bytes] = NONE) -> dict[str, str]:
    """Every document by file name, checked for its citations, with the verdicts and, last, the manifest."""
    built: dict[str, str] = {}
    for name in plugins.names(SHELF):
        built |= evidence.wording.told(plugins.load(SHELF, name).build(evidence, decision))
    built |= {name: with_pictures(text, pictures) for name, text in built.items() if name.endswith(".html")}
    built |= {name: _as_trial(name, text, evidence) for name, text in built.items()}
    built["verdicts.json"] = to_json(inert(decision.to_dict()), indent=1) + "\n"
    citations.demand(built, evidence)
    return {**built, NAME: to_json(manifest(built, evidence, decision), indent=1) + "\n"}


def _as_trial(name: str, text: str, evidence: Evidence) -> str:
    """Where nobody has said on which basis data are used, every document says so under its first heading."""
    fact = trial(evidence)
    if fact is None or not name.endswith((".md", ".html")):
        return text
    if name.endswith(".md"):
        told = str(said(sentence(fact), fact))
        return re.sub(r"(?m)^# .*$", lambda heading: f"{heading[0]}\n\n**{told}**", text, count=1)
    return text.replace("</h1>", f"</h1>\n<p><strong>{html.escape(sentence(fact))}</strong></p>", 1)
