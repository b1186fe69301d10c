"""Check the certificate of an erasure: who signed it, that nothing in it was changed, and what epoch.json says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops.entities.erasure import ErasureMarks
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.governance import erasure_certificate as certificates
from twinops.governance.people import sshsig
from twinops.workflows.compliance_files import offices_of
from twinops.workflows.places import Places

MOST_BYTES = 16 * 2**20


@dataclass(frozen=True)
class CertificateChecked:
    """One certificate: what it says, who signed it, and what does not hold of it (nothing: it stands)."""

    path: Path
    name: str
    persons: int
    at: str
    signed_by: str
    faults: tuple[str, ...] = ()


def certificate(where: str, *, places: Places) -> CertificateChecked:
    """Check a certificate by its file or its name; keys of officers come from `compliance/offices.yaml`.

    Raises:
        DataError: there is none.
        IntegrityError: the file is no certificate.
    """
    path = Path(where) if where.endswith(".json") else places.certificate(where)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
        said = json.loads(content)
    except FileNotFoundError:
        raise DataError("There is no such certificate.", hint="They lie in erasures/; name one, or a person.") from None
    except (OSError, ValueError, RecursionError):
        raise IntegrityError(f"{path.name} is no certificate.", hint="Restore it from git.") from None
    if not isinstance(said, dict) or said.get("kind") != certificates.KIND:
        raise IntegrityError(f"{path.name} is no certificate.", hint="Restore it from git.")
    by, faults = _signature(path, content, places)
    faults += _against_marks(said, places)
    return CertificateChecked(path, str(said["name"]), len(said["subjects"]), str(said["at"]), by, tuple(faults))


def _signature(path: Path, content: bytes, places: Places) -> tuple[str, list[str]]:
    """Who signed it, and what is wrong with that."""
    try:
        told = Path(f"{path}.sig").read_text(encoding="utf-8")
        key = sshsig.signing_key(content, told, namespace=certificates.NAMESPACE)
    except OSError:
        return "nobody", ["It is not signed."]
    except sshsig.NotSigned as problem:
        return "nobody", [f"Its signature does not count: {problem}."]
    try:
        person = offices_of(places).by_key(key)
    except ParamsError:
        person = None
    if person is None or person.office not in certificates.OFFICES:
        return sshsig.fingerprint(key), ["It was signed by a key that compliance/offices.yaml gives to no such office."]
    return f"{person.name} ({person.office}), {sshsig.fingerprint(key)}", []


def _against_marks(said: dict[str, Any], places: Places) -> list[str]:
    """What the project's own epoch.json says beside it."""
    if not places.epoch.is_file():
        return []
    marks = ErasureMarks.from_text(places.epoch.read_bytes())
    faults = [] if marks.epoch >= said["epoch"] else ["epoch.json does not know of this erasure: an old revision?"]
    missing = set(said["erased"]) - marks.erased
    return faults + ([f"epoch.json does not name {len(missing)} of the erased."] if missing else [])
