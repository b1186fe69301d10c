"""Bind a candidate's documents to its evidence, policy and key; tell later whether they still fit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.governance import citations
from twinops.governance.policy.decide import Decision

SCHEMA = "twinops.manifest/1"
NAME = "manifest.json"


def manifest(documents: Mapping[str, str], evidence: Evidence, decision: Decision) -> dict[str, Any]:
    """The file that is written last: digests of all documents and of what they were made from."""
    known = citations.ids(evidence)
    return {
        "schema": SCHEMA,
        "model": evidence.model,
        "key": evidence.key,
        "as_of": evidence.as_of.isoformat(),
        "evidence_digest": evidence.digest,
        "policy_version": decision.policy_version,
        "policy_digest": decision.policy_digest,
        "decision": decision.decision,
        "documents": {
            name: {
                "sha256": _sha256(text.encode()),
                "cited": len(citations.cited(name, text)),
                "faults": citations.faults(name, text, known),
            }
            for name, text in sorted(documents.items())
        },
    }


def facts_of_documents(
    manifest: Mapping[str, Any], contents: Mapping[str, bytes], evidence: Evidence
) -> tuple[Fact, ...]:
    """What the gate `documents` reads: which listed documents lie there, and everything that does not fit.

    `contents` maps each file name beside the manifest to its bytes; `evidence` is what `reports/evidence.json` holds,
    before anything is joined to it. Nothing the manifest says about faults is trusted: digests and citations are
    computed again.
    """
    listed = manifest.get("documents")
    listed = listed if isinstance(listed, dict) else {}
    present = sorted(name for name in listed if name in contents)
    problems = [*_binding(manifest, evidence)]
    for name, said in sorted(listed.items()):
        problems += _document(name, said, contents.get(name), evidence)
    source = f"manifest.json of the candidate, {len(contents)} files read"
    return (
        Fact("documents.present", present, Kind.MEASURED, source),
        Fact("documents.problems", problems, Kind.MEASURED, source),
    )


def _binding(manifest: Mapping[str, Any], evidence: Evidence) -> list[str]:
    said = {"schema": SCHEMA, "model": evidence.model, "key": evidence.key, "evidence_digest": evidence.digest}
    return [f"the manifest was made for another {name}" for name, value in said.items() if manifest.get(name) != value]


def _document(name: str, said: Any, content: bytes | None, evidence: Evidence) -> list[str]:
    if content is None:
        return [f"{name} is listed and not there"]
    if not isinstance(said, dict) or said.get("sha256") != _sha256(content):
        return [f"{name} was changed after it was built"]
    try:
        return citations.faults(name, content.decode(), citations.ids(evidence))
    except (ValueError, RecursionError):
        return [f"{name} cannot be read"]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
