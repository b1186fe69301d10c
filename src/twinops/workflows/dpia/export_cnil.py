"""Write the impact assessment as a draft for the CNIL's PIA tool."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops.entities.canonical import to_json
from twinops.errors import DataError
from twinops.governance.assessment import cnil, cnil_kept
from twinops.whole_files import write
from twinops.workflows.compliance_files import declarations
from twinops.workflows.evidence import CandidateFolder
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Exported:
    """The draft and where it was written."""

    path: Path
    digest: str
    answers: int
    as_people_left: tuple[int, ...] = ()
    """Questions answered in the tool otherwise than twinops would; they stay so."""


def export_cnil(candidate: CandidateFolder, *, into: str) -> Exported:
    """Write the draft; what nobody answered is absent from it, and what came back from the tool is in it again."""
    file, path, held = draft(candidate), Path(into), _held(candidate.places)
    left = cnil_kept.theirs_in(held) if held else ()
    if held:
        file = cnil_kept.merged(file, held)
    write(path, to_json(file, indent=1) + "\n")
    return Exported(path, file["pia"]["category"].removeprefix(cnil.TAG), len(file["answers"]), left)


def _held(places: Places) -> dict[str, Any] | None:
    """What was imported last; None: nothing was."""
    path = places.root / cnil_kept.PLACE
    if not path.is_file():
        return None
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(held, dict) and held.get("schema") == cnil_kept.SCHEMA:
            return held
    except (ValueError, RecursionError):
        pass
    raise DataError(f"{cnil_kept.PLACE} cannot be read.", hint="Import the tool's file again, or remove it.")


def draft(candidate: CandidateFolder) -> dict[str, Any]:
    """The draft of what is so now."""
    declared = declarations(candidate.places)
    return cnil.export(declared.reviewed(candidate.gather(declared)))
