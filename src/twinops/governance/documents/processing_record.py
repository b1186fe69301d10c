"""Write the record of processing (GDPR art. 30): a table for people, and the same with the terms of DPV for machines.

One row per source and purpose, from what sources and intended use declare. No profile of DPV for such a record exists;
its terms are used as codes.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.governance.documents._tables import sheet
from twinops.governance.law.data_map import harmless
from twinops.governance.markdown import plain
from twinops.governance.policy.decide import Decision
from twinops.governance.reading import law
from twinops.governance.words import days, words

FILES = ("ropa.csv", "ropa.jsonld")
COLUMNS = (
    "controller", "contact", "data protection officer", "purpose", "DPV purpose", "why", "legal basis", "data subjects",
    "categories of data", "columns", "special categories", "recipients", "processors", "transfers", "erased after",
    "security measures", "source of the data", "notice", "synthetic", "kind", "evidence",
)  # fmt: skip
_DECLARED = (
    "dpia.declared.legal_basis",
    "intended_use.purposes",
    "dpia.declared.actors",
    "dpia.declared.transfers",
    "dpia.declared.security_measures",
)
_CONTEXT = {"dpv": "https://w3id.org/dpv#", "dct": "http://purl.org/dc/terms/", "twinops": "urn:twinops:"}


@dataclass(frozen=True)
class ProcessingActivity:
    """One source used for one purpose (GDPR art. 30(1)), with everything that is declared of it."""

    evidence: Evidence
    source: Fact
    purpose: str

    @property
    def basis(self) -> str:
        """The legal basis that the source declares for the purpose."""
        return _bases(self.source)[self.purpose]

    @property
    def said(self) -> dict[str, Any]:
        """What the intended use says of the purpose."""
        return self.evidence.table("intended_use.purposes", self.purpose)

    @property
    def actors(self) -> dict[str, Any]:
        """Recipients, processors and whom to write to."""
        return self.evidence.table("dpia.declared.actors")

    @property
    def rests_on(self) -> tuple[Fact, ...]:
        """Every declaration that its row is made from."""
        return (self.source, *(f for name in _DECLARED if (f := self.evidence.fact(name)) is not None))


def build(evidence: Evidence, _decision: Decision) -> dict[str, str]:
    """`ropa.csv` and `ropa.jsonld`."""
    listed = [ProcessingActivity(evidence, s, p) for s in evidence.sources for p in sorted(_bases(s))]
    return {"ropa.csv": _csv([_row(one) for one in listed]), "ropa.jsonld": _jsonld(listed)}


def _csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([harmless(row[name]) for name in COLUMNS] for row in rows)
    return out.getvalue()


def _row(one: ProcessingActivity) -> dict[str, str]:
    evidence, actors, source = one.evidence, one.actors, one.source.value
    measures = evidence.value("dpia.declared.security_measures") or ()
    told: dict[str, Any] = {
        # art. 30(1)(a): controller and data protection officer
        "controller": source.get("controller"),
        "contact": actors.get("contact"),
        "data protection officer": actors.get("dpo_contact"),
        # (b): purposes
        "purpose": one.purpose,
        "DPV purpose": one.said.get("dpv"),
        "why": one.said.get("why"),
        "legal basis": one.basis,
        # (c): data subjects and categories of data
        "data subjects": sheet(evidence).subjects,
        "categories of data": source.get("personal_data"),
        "columns": source.get("columns"),
        "special categories": evidence.value("dpia.declared.legal_basis"),
        # (d) and (e): recipients and transfers
        "recipients": actors.get("recipients"),
        "processors": actors.get("processors"),
        "transfers": evidence.value("dpia.declared.transfers"),
        # (f) and (g): when it is erased, and how it is kept safe
        "erased after": days(source.get("retention_days")),
        "security measures": [f"{m.get('title')} ({m.get('status')})" for m in measures if isinstance(m, dict)],
        # arts. 13 and 14: where the data come from and what people are told
        "source of the data": source.get("collected_from"),
        "notice": source.get("notice"),
        "synthetic": source.get("synthetic"),
        "kind": "declared",
        "evidence": " ".join(f.id for f in one.rests_on),
    }
    return {name: plain(words(value)) for name, value in told.items()}


def _jsonld(listed: list[ProcessingActivity]) -> str:
    return to_json({"@context": _CONTEXT, "@graph": [_process(one) for one in listed]}, indent=1) + "\n"


def _process(one: ProcessingActivity) -> dict[str, Any]:
    terms, name, source = law("dpv_terms")["terms"], plain(one.source.name.removeprefix("source.")), one.source.value
    basis = terms["legal_basis"].get(one.basis)
    return {
        "@id": f"urn:twinops:process:{_urn(name)}:{_urn(one.purpose)}",
        "@type": "dpv:Process",
        "dct:title": f"{name} for {plain(one.purpose)}",
        "dpv:hasPurpose": _known(one.said.get("dpv"), terms["purposes"]),
        "dpv:hasLegalBasis": {"@id": basis} if basis else plain(one.basis),
        "dpv:hasPersonalData": [_known(source.get("personal_data"), terms["personal_data"])],
        "dpv:hasDataSubject": {"@id": terms["roles"]["consumer"]},
        "dpv:hasDataController": {
            "@type": terms["roles"]["controller"],
            "dct:title": plain(words(source.get("controller"))),
        },
        "dpv:hasRecipient": [plain(words(r)) for r in one.actors.get("recipients") or ()],
        "dpv:hasDataSource": plain(words(source.get("collected_from"))),
        "dpv:hasStorageCondition": _storage(source.get("retention_days")),
        "dpv:hasTechnicalOrganisationalMeasure": [
            {"@id": terms["measures"][m]} for m in ("pseudonymisation", "encryption_rest", "key_management")
        ],
        "dpv:hasRight": [{"@id": iri} for _, iri in sorted(terms["rights"].items())],
        "twinops:kind": "declared",
        "twinops:evidence": [f.id for f in one.rests_on],
    }


def _storage(days: Any) -> list[dict[str, Any]]:
    return [{"@type": "dpv:StorageDuration", "dpv:hasDuration": f"P{days}D"}] if isinstance(days, int) else []


def _known(given: Any, terms: dict[str, str]) -> Any:
    """A term of DPV as a reference; anything else stays text."""
    return {"@id": given} if given in terms.values() else plain(words(given))


def _bases(source: Fact) -> dict[str, str]:
    bases = source.value.get("bases")
    return {str(p): str(b) for p, b in bases.items()} if isinstance(bases, dict) else {}


def _urn(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "-" for c in text)
