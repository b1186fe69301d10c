"""Write the impact assessment as a draft for the CNIL's PIA tool."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops.entities.canonical import to_json
from twinops.governance.assessment import cnil
from twinops.workflows.compliance_files import declarations
from twinops.workflows.evidence import CandidateFolder
from twinops.workflows.places import write


@dataclass(frozen=True)
class Exported:
    """The draft and where it was written."""

    path: Path
    digest: str
    answers: int


def export_cnil(candidate: CandidateFolder, *, into: str) -> Exported:
    """Write the draft; what nobody answered is absent from it."""
    file, path = draft(candidate), Path(into)
    write(path, to_json(file, indent=1) + "\n")
    return Exported(path, file["pia"]["category"].removeprefix(cnil.TAG), len(file["answers"]))


def draft(candidate: CandidateFolder) -> dict[str, Any]:
    """The draft of what is so now."""
    declared = declarations(candidate.places)
    return cnil.export(declared.reviewed(candidate.gather(declared)))
