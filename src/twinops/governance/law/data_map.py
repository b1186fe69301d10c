"""The data map as a table, as CSV and as JSON-LD in the words of the W3C Data Privacy Vocabulary (DPV)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.held import Held
from twinops.governance.reading import law

COLUMNS = (
    "table", "column", "kind", "purposes", "personal_data", "retention_days", "subjects", "synthetic", "made_from",
    "derived", "notice", "collected_from", "controller", "provenance",
)  # fmt: skip
FEWER = "fewer than 10, or not filed by subject"
NO_PURPOSE = "NONE DECLARED"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_SAFEGUARDS = ("pseudonymisation", "encryption_rest", "key_management")
_CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "dct": "http://purl.org/dc/terms/",
    "twinops": "urn:twinops:",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def as_csv(rows: Iterable[Held]) -> str:
    """One line per column held; cells that a spreadsheet would run are made text (CWE-1236)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([harmless(_cell(row, name)) for name in COLUMNS])
    return out.getvalue()


def harmless(cell: str) -> str:
    """The same text, with an apostrophe before what would be a formula.

    >>> harmless("=1+1"), harmless("+cmd"), harmless("sid")
    ("'=1+1", "'+cmd", 'sid')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_table(rows: Sequence[Held]) -> str:
    """For a terminal: a paragraph per table, a line per column."""
    lines = []
    for columns in _tables(rows):
        lines.append(_headline(columns[0]))
        lines += [f"    {r.column:<28} {_cell(r, 'purposes')}{_origin(r)}" for r in columns]
        lines.append("")
    return "\n".join(lines).rstrip()


def as_jsonld(rows: Sequence[Held], purposes: Mapping[str, str]) -> str:
    """One dpv:Process per table and purpose; `purposes` maps each to its DPV term. The same map, the same bytes."""
    graph = [
        _process([r for r in columns if purpose in dict(r.purposes)], purpose, purposes[purpose])
        for columns in _tables(rows)
        for purpose in sorted({p for r in columns for p, _ in r.purposes})
    ]
    return to_json({"@context": _CONTEXT, "@graph": graph}, indent=1) + "\n"


def _tables(rows: Sequence[Held]) -> list[list[Held]]:
    return [list(group) for _, group in groupby(rows, key=lambda r: r.table)]


def _headline(row: Held) -> str:
    kept = "as long as what it is made from" if row.retention_days is None else f"kept {row.retention_days} days"
    who = FEWER if row.subjects is None else f"{row.subjects:,} subjects"
    kind = f"{row.kind}, synthetic" if row.synthetic else row.kind
    whence = row.collected_from if row.collected_from.startswith("made ") else f"from {row.collected_from}"
    return f"{row.table} ({kind}): {who}; {kept}; {whence}"


def _process(used: list[Held], purpose: str, term: str) -> dict[str, Any]:
    """What is done with these columns of one table for one purpose."""
    terms, first = law("dpv_terms")["terms"], used[0]
    safeguards = [*_SAFEGUARDS, *(("synthetic",) if first.synthetic else ())]
    kept = f"P{first.retention_days}D"
    return {
        "@id": f"urn:twinops:process:{_urn(first.table)}:{purpose}",
        "@type": "dpv:Process",
        "dct:title": f"{first.table} for {purpose}",
        "dct:provenance": first.provenance,
        "dct:references": first.notice,
        "dpv:hasPurpose": {"@id": term},
        "dpv:hasLegalBasis": [{"@id": iri} for iri in _bases(used, purpose, terms["legal_basis"])],
        "dpv:hasPersonalData": [_column(r) for r in used],
        "dpv:hasDataController": {"@type": terms["roles"]["controller"], "dct:title": first.controller},
        "dpv:hasDataSubject": {"@id": terms["roles"]["consumer"]},
        "dpv:hasDataSource": first.collected_from,
        "dpv:hasStorageCondition": []
        if first.retention_days is None
        else [{"@type": "dpv:StorageDuration", "dpv:hasDuration": kept}],
        "dpv:hasTechnicalOrganisationalMeasure": [{"@id": terms["measures"][m]} for m in safeguards],
        "twinops:subjects": FEWER if first.subjects is None else first.subjects,
    }


def _bases(used: list[Held], purpose: str, terms: Mapping[str, str]) -> list[str]:
    named = {basis for r in used for basis in dict(r.purposes)[purpose].split(", ")}
    return sorted(terms[basis] for basis in named if basis in terms)  # what is about nobody has none


def _column(row: Held) -> dict[str, Any]:
    return {
        "@id": f"urn:twinops:column:{_urn(row.table)}.{row.column}",
        "@type": [row.personal_data],
        "twinops:madeFrom": [{"@id": f"urn:twinops:column:{origin}"} for origin in row.made_from],
    }


def _urn(table: str) -> str:
    """Sources go by their own name, as in `made_from`."""
    return table.removeprefix("raw/").replace("/", ":")


def _cell(row: Held, name: str) -> str:
    if name == "purposes":
        return "; ".join(f"{p}: {basis}" for p, basis in row.purposes) or NO_PURPOSE
    if name == "subjects":
        return FEWER if row.subjects is None else str(row.subjects)
    value = getattr(row, name)
    if isinstance(value, tuple):
        return "; ".join(value)
    return "" if value is None else str(value)


def _origin(row: Held) -> str:
    return f"  <- {', '.join(row.made_from)}" if row.made_from else ""
