"""Write the bill of materials of the model: CycloneDX 1.7 with model card, datasets, and claims that lead to evidence.

Written by hand, because the CycloneDX library drops `modelCard` and `declarations`; the tests hold it to the strict
schema. Every reference leads somewhere, which no schema checks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.entities.verdict import Verdict
from twinops.entities.wording import ONE
from twinops.errors import IntegrityError
from twinops.governance.citations import items
from twinops.governance.documents._tables import fairness_groups, per_group, quantities, sheet
from twinops.governance.markdown import plain
from twinops.governance.policy.decide import Decision
from twinops.governance.words import days, words

FILES = ("bom.cdx.json",)
MODEL, POLICY, ASSESSOR = "model", "standard:policy", "assessor:pipeline"
_SPACE = uuid.UUID("5f0c1f2e-6f0b-5d55-9a51-6d8a5a8d2c11")
"""Our own name space, so that the serial number follows from the evidence."""
_SCORE = {"passed": 1.0, "failed": 0.0, "inconclusive": 0.5, "missing": 0.0}
"""What is not applicable conforms neither well nor badly: it has no score."""
_WIDTH = 2_000
_REFERS = (
    "ref", "dependsOn", "target", "claims", "evidence", "counterEvidence", "requirement", "assessor", "standards",
)  # fmt: skip


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`bom.cdx.json`.

    Raises:
        IntegrityError: a reference leads nowhere.
    """
    bom = _bom(evidence, decision)
    lost = dangling(bom)
    if lost:
        raise IntegrityError(f"The bill of materials refers to what is not in it: {', '.join(lost)}.")
    return {"bom.cdx.json": to_json(bom, indent=1) + "\n"}


def dangling(bom: dict[str, Any]) -> list[str]:
    """References that lead to no `bom-ref` of the same file."""
    known = set(_named(bom))
    return sorted({ref for ref in _referred(bom) if ref not in known})


def _bom(evidence: Evidence, decision: Decision) -> dict[str, Any]:
    sources = evidence.sources
    serial = uuid.uuid5(_SPACE, f"{evidence.key} {evidence.digest} {decision.policy_digest}")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "project", "name": "twinops project"},
            "properties": list(_properties(evidence, decision)),
        },
        "components": [
            _model(evidence, sources),
            *(_dataset(f) for f in sources),
            *(_library(n, v) for n, v in sorted(_libraries(evidence).items())),
        ],
        "dependencies": list(_dependencies(evidence, sources)),
        "definitions": {"standards": [_standard(decision)]},
        "declarations": _declarations(evidence, decision),
    }


def _properties(evidence: Evidence, decision: Decision) -> Iterator[dict[str, str]]:
    told = {
        "key": evidence.key,
        "as_of": evidence.as_of.isoformat(),
        "evidence_digest": evidence.digest,
        "policy_version": decision.policy_version,
        "policy_digest": decision.policy_digest,
        "decision": decision.decision,
    }
    yield from ({"name": f"twinops:{name}", "value": _text(value)} for name, value in told.items())


def _model(evidence: Evidence, sources: tuple[Fact, ...]) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": _text(evidence.model),
        "version": evidence.key[:12],
        "description": _text(evidence.value("intended_use.about", "summary") or "not declared"),
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "modelCard": {
            "bom-ref": "model-card",
            "modelParameters": _parameters(evidence, sources),
            "quantitativeAnalysis": {"performanceMetrics": list(_performance(evidence))},
            "considerations": _considerations(evidence),
        },
    }


def _parameters(evidence: Evidence, sources: tuple[Fact, ...]) -> dict[str, Any]:
    known = evidence.table("model.family")
    return {
        "approach": {"type": "supervised"},
        "task": f"predict the next purchases of a {ONE}",
        "architectureFamily": _text(known.get("form") or "not measured"),
        "modelArchitecture": _text(evidence.value("dpia.declared.description") or "not declared"),
        "datasets": [{"ref": f"dataset:{_own(f)}"} for f in sources],
        "inputs": [{"format": _text(name)} for name in known.get("from") or ()],
        "outputs": [{"format": _text(name)} for name in known.get("foretells") or ()],
    }


def _performance(evidence: Evidence) -> Iterator[dict[str, Any]]:
    beside = [m for row in quantities(evidence) for m in row.measures]
    yield from (_metric(m, "held out") for m in beside)
    yield from (_metric(m, "all") for m in evidence.headlines if m not in beside)


def _metric(measure: Measure, slice_: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": _text(measure.name),
        "value": f"{measure.value:g}",
        "slice": _text(f"{slice_}; n={measure.n} {measure.unit_of_n}; {measure.id}"),
    }
    if measure.low is not None and measure.high is not None:
        found["confidenceInterval"] = {"lowerBound": f"{measure.low:g}", "upperBound": f"{measure.high:g}"}
    return found


def _considerations(evidence: Evidence) -> dict[str, Any]:
    decision = evidence.table("intended_use.decision")
    effect = words(decision.get("effect")) if decision else "not declared"
    return {
        "users": [_text(evidence.value("intended_use.controller", "name") or "not declared")],
        "useCases": [_text(f"{n}: {words(p)}") for n, p in sorted(evidence.table("intended_use.purposes").items())],
        "technicalLimitations": [
            _text(sheet(evidence).technical),
            "Campaigns were not randomised: what is predicted is response, not what an offer causes.",
            *(_text(f"Not for: {use}") for use in evidence.value("intended_use.not_for") or ()),
        ],
        "ethicalConsiderations": [
            {
                "name": _text(f"AI Act class: {words(evidence.value('ai_act_classification', 'class'))}"),
                "mitigationStrategy": _text(words(evidence.value("ai_act_classification", "means"))),
            }
        ],
        "fairnessAssessments": list(_fairness(evidence, effect)),
    }


def _fairness(evidence: Evidence, effect: str) -> Iterator[dict[str, str]]:
    fact = fairness_groups(evidence)
    for row in per_group(evidence):
        told = f"reached {row.ratio} times as often as the rest; among those who came to shop {row.among_shoppers}"
        yield {
            "groupAtRisk": _text(f"{row.attribute}: {row.group}"),
            "benefits": _text(effect),
            "harms": _text(f"{told} [{fact.id if fact else ''}]"),
        }


def _dataset(fact: Fact) -> dict[str, Any]:
    value = fact.value
    own = _own(fact)
    return {
        "type": "data",
        "bom-ref": f"dataset:{own}",
        "name": _text(own),
        "description": _text(value.get("provenance")),
        "data": [
            {
                "type": "dataset",
                "name": _text(own),
                "classification": "personal data, synthetic" if value.get("synthetic") else "personal data",
                "sensitiveData": [_text(value.get("personal_data")), *map(_text, value.get("columns") or ())],
                "governance": {"owners": [{"organization": {"name": _text(value.get("controller"))}}]},
                "description": _text(f"kept {days(value.get('retention_days'))}; {value.get('notice')} [{fact.id}]"),
            }
        ],
    }


def _library(name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{name.lower()}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _libraries(evidence: Evidence) -> dict[str, str]:
    """Names and versions that can stand in a package URL; others are left out."""
    found = {str(n): str(v) for n, v in evidence.table("libraries").items()}
    return {n: v for n, v in found.items() if f"{n}{v}".replace("-", "").replace(".", "").replace("_", "").isalnum()}


def _dependencies(evidence: Evidence, sources: tuple[Fact, ...]) -> Iterator[dict[str, Any]]:
    parts = [f"dataset:{_own(f)}" for f in sources] + [
        _library(n, v)["bom-ref"] for n, v in _libraries(evidence).items()
    ]
    yield {"ref": MODEL, "dependsOn": sorted(parts)}
    yield from ({"ref": part} for part in sorted(parts))


def _standard(decision: Decision) -> dict[str, Any]:
    return {
        "bom-ref": POLICY,
        "name": "Policy of the risk officer",
        "version": _text(decision.policy_version),
        "description": f"compliance/policy.yaml, digest {decision.policy_digest}. Meeting it declares no conformity.",
        "requirements": [
            {
                "bom-ref": f"requirement:{_text(v.gate)}",
                "identifier": _text(v.gate),
                "title": _text(v.gate.replace("_", " ")),
                "text": _text(f"{v.rule}; limit {words(v.limit)}"),
            }
            for v in decision.verdicts
        ],
    }


def _declarations(evidence: Evidence, decision: Decision) -> dict[str, Any]:
    known = {i.id: i for i in items(evidence)}
    cited = {v.evidence for v in decision.verdicts if v.evidence in known}
    return {
        "assessors": [{"bom-ref": ASSESSOR, "thirdParty": False}],
        "evidence": [_item(known[i]) for i in sorted(i for i in cited if i)],
        "claims": [_claim(v, known.keys()) for v in decision.verdicts],
        "attestations": [
            {
                "summary": _text(f"{decision.decision} under policy {decision.policy_version}; a person still decides"),
                "assessor": ASSESSOR,
                "map": [_mapped(v, decision) for v in decision.verdicts],
            }
        ],
    }


def _claim(verdict: Verdict, known: Any) -> dict[str, Any]:
    cited = {"evidence": [verdict.evidence]} if verdict.evidence in known else {}
    return {
        "bom-ref": f"claim:{_text(verdict.gate)}",
        "target": MODEL,
        "predicate": f"{_text(verdict.gate)}: {verdict.outcome.value}",
        "reasoning": _text(verdict.sentence),
        **cited,
    }


def _mapped(verdict: Verdict, decision: Decision) -> dict[str, Any]:
    outcome = verdict.outcome.value
    score = {"score": _SCORE[outcome]} if outcome in _SCORE else {}
    written = " ".join(s.sentence for s in decision.about(verdict.gate))
    return {
        "requirement": f"requirement:{_text(verdict.gate)}",
        "claims": [f"claim:{_text(verdict.gate)}"],
        "conformance": {**score, "rationale": _text(f"{outcome}. {written}")},
    }


def _item(item: Measure | Fact) -> dict[str, Any]:
    told = str(item) if isinstance(item, Measure) else words(item.value)
    return {"bom-ref": item.id, "propertyName": _text(item.name), "description": _text(f"{told}. From: {item.source}")}


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("bom-ref"), str):
            yield value["bom-ref"]
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _named(item)


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key in _REFERS:
            given = value.get(key)
            yield from (r for r in (given if isinstance(given, list) else [given]) if isinstance(r, str))
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _referred(item)


def _own(fact: Fact) -> str:
    return plain(fact.name.removeprefix("source."))


def _text(value: Any) -> str:
    """One line, nothing invisible in it."""
    text = plain("" if value is None else value)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
