"""Write the record of processing (GDPR art. 30): a table for people, and the same with the terms of DPV for machines.

One row per source and purpose, from what sources and intended use declare. No profile of DPV for such a record exists;
its terms are used as codes.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.governance.data_map import harmless
from twinops.governance.decide import Decision
from twinops.governance.documents._tables import sheet
from twinops.governance.markdown import plain
from twinops.governance.reading import law
from twinops.governance.words import words

FILES = ("ropa.csv", "ropa.jsonld")
COLUMNS = (
    "controller",
    "contact",
    "data protection officer",
    "purpose",
    "DPV purpose",
    "why",
    "legal basis",
    "data subjects",
    "categories of data",
    "columns",
    "special categories",
    "recipients",
    "processors",
    "transfers",
    "erased after",
    "security measures",
    "source of the data",
    "notice",
    "synthetic",
    "kind",
    "evidence",
)
_CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "dct": "http://purl.org/dc/terms/",
    "twinops": "urn:twinops:",
}


def build(evidence: Evidence, _decision: Decision) -> dict[str, str]:
    """`ropa.csv` and `ropa.jsonld`."""
    rows = [(s, p) for s in evidence.sources for p in sorted(_bases(s))]
    return {"ropa.csv": _csv([_row(evidence, s, p) for s, p in rows]), "ropa.jsonld": _jsonld(evidence, rows)}


def _csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([harmless(row[name]) for name in COLUMNS] for row in rows)
    return out.getvalue()


def _row(evidence: Evidence, source: Fact, purpose: str) -> dict[str, str]:
    actors, said = evidence.table("dpia.declared.actors"), _purpose(evidence, purpose)
    measures = evidence.value("dpia.declared.security_measures") or ()
    used = (source, *_facts(evidence))
    told: dict[str, Any] = {
        "controller": source.value.get("controller"),
        "contact": actors.get("contact"),
        "data protection officer": actors.get("dpo_contact"),
        "purpose": purpose,
        "DPV purpose": said.get("dpv"),
        "why": said.get("why"),
        "legal basis": _bases(source)[purpose],
        "data subjects": sheet(evidence).subjects,
        "categories of data": source.value.get("personal_data"),
        "columns": source.value.get("columns"),
        "special categories": evidence.value("dpia.declared.legal_basis"),
        "recipients": actors.get("recipients"),
        "processors": actors.get("processors"),
        "transfers": evidence.value("dpia.declared.transfers"),
        "erased after": f"{words(source.value.get('retention_days'))} days",
        "security measures": [f"{m.get('title')} ({m.get('status')})" for m in measures if isinstance(m, dict)],
        "source of the data": source.value.get("collected_from"),
        "notice": source.value.get("notice"),
        "synthetic": source.value.get("synthetic"),
        "kind": "declared",
        "evidence": " ".join(f.id for f in used),
    }
    return {name: plain(words(value)) for name, value in told.items()}


def _jsonld(evidence: Evidence, rows: list[tuple[Fact, str]]) -> str:
    return to_json({"@context": _CONTEXT, "@graph": [_process(evidence, s, p) for s, p in rows]}, indent=1) + "\n"


def _process(evidence: Evidence, source: Fact, purpose: str) -> dict[str, Any]:
    terms, name = law("dpv_terms")["terms"], plain(source.name.removeprefix("source."))
    actors, said = evidence.table("dpia.declared.actors"), _purpose(evidence, purpose)
    basis = terms["legal_basis"].get(_bases(source)[purpose])
    return {
        "@id": f"urn:twinops:process:{_urn(name)}:{_urn(purpose)}",
        "@type": "dpv:Process",
        "dct:title": f"{name} for {plain(purpose)}",
        "dpv:hasPurpose": _known(said.get("dpv"), terms["purposes"]),
        "dpv:hasLegalBasis": {"@id": basis} if basis else plain(_bases(source)[purpose]),
        "dpv:hasPersonalData": [_known(source.value.get("personal_data"), terms["personal_data"])],
        "dpv:hasDataSubject": {"@id": terms["roles"]["consumer"]},
        "dpv:hasDataController": {
            "@type": terms["roles"]["controller"],
            "dct:title": plain(words(source.value.get("controller"))),
        },
        "dpv:hasRecipient": [plain(words(r)) for r in actors.get("recipients") or ()],
        "dpv:hasDataSource": plain(words(source.value.get("collected_from"))),
        "dpv:hasStorageCondition": _storage(source.value.get("retention_days")),
        "dpv:hasTechnicalOrganisationalMeasure": [
            {"@id": terms["measures"][m]} for m in ("pseudonymisation", "encryption_rest", "key_management")
        ],
        "dpv:hasRight": [{"@id": iri} for _, iri in sorted(terms["rights"].items())],
        "twinops:kind": "declared",
        "twinops:evidence": [f.id for f in (source, *_facts(evidence))],
    }


def _storage(days: Any) -> list[dict[str, Any]]:
    return [{"@type": "dpv:StorageDuration", "dpv:hasDuration": f"P{days}D"}] if isinstance(days, int) else []


def _known(given: Any, terms: dict[str, str]) -> Any:
    """A term of DPV as a reference; anything else stays text."""
    return {"@id": given} if given in terms.values() else plain(words(given))


def _facts(evidence: Evidence) -> tuple[Fact, ...]:
    names = (
        "dpia.declared.legal_basis",
        "intended_use.purposes",
        "dpia.declared.actors",
        "dpia.declared.transfers",
        "dpia.declared.security_measures",
    )
    return tuple(f for n in names if (f := evidence.fact(n)) is not None)


def _bases(source: Fact) -> dict[str, str]:
    bases = source.value.get("bases")
    return {str(p): str(b) for p, b in bases.items()} if isinstance(bases, dict) else {}


def _purpose(evidence: Evidence, name: str) -> dict[str, Any]:
    found = evidence.table("intended_use.purposes").get(name)
    return found if isinstance(found, dict) else {}


def _urn(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "-" for c in text)
