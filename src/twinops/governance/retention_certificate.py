"""What a retention run let go, by kind of copy, in the shape of an erasure's certificate; nobody is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinops.entities.canonical import digest, to_json

KIND = "twinops retention certificate"
NAMESPACE = "twinops-erasure"
"""What an ssh key signs it for: the same as an erasure's."""
REASON = "outlived the time that is declared for the source (GDPR art. 5(1)(e))"
LEARNED = "may have learned from these rows while they were held: the next candidate learns without them (`make run`)"
"""What becomes of versions: they stand, for they learned when it was allowed."""
DOES_NOT_SAY = [
    "That earlier copies are gone: their rows stay sealed under keys that live, until `dvc gc` takes the objects away "
    "or the person's key is destroyed.",
    "That nobody copied rows by hand to a place this project does not know.",
]
VERIFY = {
    "signature": f"ssh-keygen -Y verify -f allowed_signers -I EMAIL -n {NAMESPACE} -s NAME.json.sig < NAME.json",
    "rows": "`twinops retention run` counts nothing that is older than the first day named here, holds left aside",
}


def certificate(record: Mapping[str, Any]) -> dict[str, Any]:
    """The document, from what was recorded."""
    return {
        "kind": KIND,
        "version": 1,
        "name": name_of(record),
        "at": record["at"],
        "reason": REASON,
        "by": record["by"],
        "controller": record["controller"],
        "subjects": record["subjects"],
        "erased": record["erased"],
        "copies": [
            *(_copy(source, told) for source, told in sorted(record["sources"].items())),
            {"kind": "git revisions, DVC cache and remotes", "where": "earlier versions", "found": "not counted",
             "done": "Nothing was rewritten: frames of before stay sealed.", "until": "`dvc gc`, or the key goes"},
            {"kind": "quarantined rows", "where": "data/quarantine", "found": record["quarantined"],
             "done": "Keys of batches older than 30 days were destroyed.", "until": "now"},
        ],
        "models": record["models"],
        "recipients": record["recipients"],
        "owner_deletes": record["owner_deletes"],
        "stays": record["stays"],
        "does_not_say": DOES_NOT_SAY,
        "verify": VERIFY,
    }  # fmt: skip


def name_of(record: Mapping[str, Any]) -> str:
    """The same run has the same name, however often it is killed and begun again."""
    return f"retention-{record['at'][:10]}-{digest({k: record[k] for k in ('sources', 'by')})[:8]}"


def text(record: Mapping[str, Any]) -> str:
    """The file's bytes."""
    return to_json(certificate(record), indent=1) + "\n"


def _copy(source: str, told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": f"rows of {source}",
        "where": f"data/raw/{source}",
        "found": told["rows"],
        "done": f"Rows from before {told['first']} were taken out, and are left at the door when collected again.",
        "until": "now",
    }
