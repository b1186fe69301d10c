"""Hold every generated sentence to the evidence it rests on: `[ev-0123456789ab]` behind what it says."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from twinops.entities.canonical import from_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.errors import IntegrityError
from twinops.governance.markdown import escape

JSON = (".json", ".jsonld")
CITATION = re.compile(r"(?<!\\)\[(ev-[0-9a-f]{12})\]")
FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
CODE = re.compile(r"(?<!\\)`[^`\n]*`")
_NO_FINDING = re.compile(
    r"^\s*```.*?^\s*```|^#[^\n]*|<!--.*?-->|(?<!\\)`[^`\n]*`|\]\([^)\n]*\)|&#\d+;"
    r"|\b[Aa]rts?\.\s?\d+(?:\(\d+\))*(?:\([a-z]{1,2}\))?(?:(?:,| and)\s\d+(?:\(\d+\))*(?:\([a-z]{1,2}\))?)*",
    re.DOTALL | re.MULTILINE,
)


def items(evidence: Evidence) -> tuple[Measure | Fact, ...]:
    """Everything that may be cited."""
    return (*evidence.measures, *evidence.facts)


def ids(evidence: Evidence) -> frozenset[str]:
    """Every id that may be cited."""
    return frozenset(item.id for item in items(evidence))


def cite(*found: Measure | Fact) -> Markup:
    """The citation of one or more pieces of evidence.

    Raises:
        IntegrityError: there is nothing to cite.
    """
    if not found:
        raise IntegrityError(
            "A document was about to state something without evidence.", hint="Cite a measure or a fact."
        )
    return Markup(" ").join(Markup(f"[{item.id}]") for item in found)  # noqa: S704  # ids are hexadecimal


def said(text: Any, *found: Measure | Fact) -> Markup:
    """A sentence or value with its citation; the text is escaped."""
    return Markup("{} {}").format(escape(text), cite(*found))


def faults(name: str, text: str, known: frozenset[str]) -> list[str]:
    """What is wrong with the citations of one document: an unknown id, or a finding that cites none."""
    unknown = [f"{name} cites {i}, which is not in the evidence" for i in sorted(cited(name, text) - known)]
    if name.endswith(JSON):
        return [*unknown, *_uncited_fields(name, from_json(text))]
    if name.endswith(".csv"):
        return [*unknown, *_uncited_rows(name, text)]
    return [*unknown, *_uncited_lines(name, text)] if name.endswith(".md") else unknown


def cited(name: str, text: str) -> set[str]:
    """Ids a document cites: in square brackets of its text, or in the `evidence` of a JSON record."""
    if name.endswith(JSON):
        return set(_evidence_of(from_json(text)))
    if name.endswith(".csv"):
        return {i for row in csv.DictReader(io.StringIO(text)) for i in (row.get("evidence") or "").split()}
    if name.endswith(".html"):
        return set(re.findall(r'href="(?:appendix\.html)?#(ev-[0-9a-f]{12})"', text))
    return set(CITATION.findall(CODE.sub("", text)))


def _evidence_of(value: Any) -> Iterator[str]:
    """What a record cites. What a field holds is content, and cites nothing whatever it looks like."""
    if isinstance(value, dict):
        given = value.get("evidence", value.get("twinops:evidence"))
        yield from (i for i in (given if isinstance(given, list) else [given]) if isinstance(i, str))
    for item in _parts(value):
        yield from _evidence_of(item)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [item for key, item in value.items() if key != "value"]
    return value if isinstance(value, list) else []


def demand(documents: Mapping[str, str], evidence: Evidence) -> None:
    """Stop the build when any document states what no evidence carries.

    Raises:
        IntegrityError: with every fault of every document.
    """
    found = [fault for name, text in documents.items() for fault in faults(name, text, ids(evidence))]
    if found:
        raise IntegrityError("Documents cite badly:\n  " + "\n  ".join(found), hint="Mend the document's template.")


def _uncited_lines(name: str, text: str) -> Iterator[str]:
    """Lines that hold a figure and no citation. Headings, code, links and article numbers hold no finding."""
    for line in _NO_FINDING.sub("", FRONT.sub("", text)).splitlines():
        if re.search(r"(?<!\w)\d", CITATION.sub("", line)) and not CITATION.search(line):
            yield f"{name} states a figure without evidence: {line.strip()[:80]!r}"


def _uncited_rows(name: str, text: str) -> Iterator[str]:
    """Rows of a table that say something and cite nothing."""
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=1):
        if not (row.get("evidence") or "").strip():
            yield f"{name}: row {number} has no evidence"


def _uncited_fields(name: str, value: Any) -> Iterator[str]:
    """JSON fields `{kind, value, evidence}` that say something and cite nothing."""
    is_field = isinstance(value, dict) and {"kind", "value", "evidence"} <= value.keys()
    if is_field and value["value"] is not None and not value["evidence"]:
        yield f"{name}: field {value.get('id')} has a value and no evidence"
    for item in _parts(value):
        yield from _uncited_fields(name, item)
