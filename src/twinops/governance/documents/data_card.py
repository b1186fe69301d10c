"""Describe the blended data set as Croissant with its terms for responsible AI; the data themselves stay sealed."""

from __future__ import annotations

from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.governance.documents._tables import sheet
from twinops.governance.markdown import plain
from twinops.governance.policy.decide import Decision
from twinops.governance.words import words

FILES = ("croissant.json",)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
    "twinops": "urn:twinops:",
}
"""Croissant 1.0's own."""
SEALED = "sealed-blend"


def build(evidence: Evidence, _decision: Decision) -> dict[str, str]:
    """`croissant.json`: provenance, limits and personal data of the blended table, and where it lies sealed."""
    return {"croissant.json": to_json(_card(evidence), indent=1) + "\n"}


def _card(evidence: Evidence) -> dict[str, Any]:
    sources = evidence.sources
    of = sheet(evidence)
    cited = [f.id for f in sources] + [f.id for n in _USED if (f := evidence.fact(n))]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": f"{_safe(evidence.model)}-blend",
        "description": (
            "One row per consumer and as-of day, with what every lawful source tells of it by then. Personal data "
            "under a pseudonym, sealed under one key per consumer: not published, described here only."
        ),
        "license": f"None: personal data under seal, for nobody else. Its public source is under {plain(of.license)}",
        "url": plain(of.license),
        "version": "1.0.0",
        "datePublished": evidence.as_of.isoformat(),
        "creator": {"@type": "sc:Organization", "name": _told(evidence, "intended_use.controller", "name")},
        "citeAs": plain(of.cite_as),
        "isLiveDataset": False,
        **_responsible(evidence, sources),
        "distribution": _distribution(evidence),
        "twinops:key": evidence.key,
        "twinops:evidence": cited,
    }


_USED = (
    "intended_use.controller", "blend.file", "blend_rows", "blend_excluded", "intended_use.purposes",
    "intended_use.not_for", "proxies",
)  # fmt: skip


def _responsible(evidence: Evidence, sources: tuple[Fact, ...]) -> dict[str, Any]:
    """The RAI terms: each from a declaration or a measure."""
    purposes = evidence.table("intended_use.purposes")
    synthetic = sorted(_safe(f.name.removeprefix("source.")) for f in sources if f.value.get("synthetic"))
    return {
        "rai:dataCollection": "; ".join(_line(f, "collected_from") for f in sources) or "not declared",
        "rai:dataCollectionType": ["Secondary data analysis", *(["Synthetic data"] if synthetic else [])],
        "rai:dataCollectionRawData": "; ".join(_line(f, "provenance") for f in sources) or "not declared",
        "rai:dataPreprocessingProtocol": [
            "Rows that break a schema are put aside; columns without a declared purpose do not enter.",
            "Records are linked only where the law allows it, and joined above a stated probability.",
        ],
        "rai:personalSensitiveInformation": [_line(f, "personal_data") for f in sources],
        "rai:dataBiases": [
            plain(sheet(evidence).biases),
            _measured(evidence, "consent_coverage"),
            _measured(evidence, "linkage_recall"),
        ],
        "rai:dataLimitations": [
            plain(sheet(evidence).limitations),
            f"Synthetic sources: {', '.join(synthetic) or 'none'}.",
            *(f"Not for: {plain(words(use))}" for use in evidence.value("intended_use.not_for") or ()),
        ],
        "rai:dataUseCases": [f"{plain(name)}: {plain(words(why))}" for name, why in sorted(purposes.items())],
        "rai:dataSocialImpact": _told(evidence, "intended_use.decision", "effect"),
        "rai:dataReleaseMaintenancePlan": "Not released. Erased with its subjects' keys; kept as long as its sources.",
    }


def _distribution(evidence: Evidence) -> list[dict[str, Any]]:
    found = evidence.value("blend.file")
    if not isinstance(found, dict):
        return []
    return [
        {
            "@type": "cr:FileObject",
            "@id": SEALED,
            "name": SEALED,
            "description": "Parquet of sealed frames, one per subject; its columns in the open are sid and frame.",
            "contentUrl": "/".join(map(_safe, str(found.get("path")).split("/"))),
            "contentSize": f"{found.get('bytes')} B",
            "encodingFormat": "application/vnd.apache.parquet",
            "sha256": _safe(found.get("sha256")),
        }
    ]


def _line(fact: Fact, part: str) -> str:
    return f"{_safe(fact.name.removeprefix('source.'))}: {plain(words(fact.value.get(part)))}"


def _measured(evidence: Evidence, name: str) -> str:
    measure = evidence.measure(name)
    return f"{name.replace('_', ' ')}: {plain(measure)} [{measure.id}]" if measure else f"{name} was not measured"


def _told(evidence: Evidence, name: str, part: str) -> str:
    return plain(words(evidence.value(name, part)))


def _safe(value: Any) -> str:
    """A name that is no address and no markup."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-. ") else "-" for c in plain(value))
