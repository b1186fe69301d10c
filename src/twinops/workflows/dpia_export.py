"""Write the impact assessment as a draft for the CNIL's PIA tool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from twinops.entities.canonical import to_json
from twinops.governance import cnil
from twinops.params import DocumentsParams
from twinops.workflows.documents import gather, reviewed
from twinops.workflows.dpia_status import NO_KEY
from twinops.workflows.places import Places
from twinops.workflows.rules import policy_of


@dataclass(frozen=True)
class Exported:
    """The draft and where it was written."""

    path: Path
    digest: str
    answers: int


def dpia_export(places: Places, named: DocumentsParams, as_of: date, *, into: str) -> Exported:
    """Write the draft; what nobody answered is absent from it."""
    file = draft(places, named=named, as_of=as_of)
    path = Path(into)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(file, indent=1) + "\n", encoding="utf-8")
    return Exported(path, file["pia"]["category"].removeprefix(cnil.TAG), len(file["answers"]))


def draft(places: Places, *, named: DocumentsParams, as_of: date) -> dict[str, Any]:
    """The draft of what is so now."""
    evidence = gather(places, model=named.model, key=NO_KEY, as_of=as_of)
    return cnil.export(reviewed(evidence, policy_of(places), places))
