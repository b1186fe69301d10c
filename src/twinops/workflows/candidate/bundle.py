"""Put a candidate's evidence into one folder that anyone can check without twinops."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from twinops.entities.canonical import to_json
from twinops.errors import DataError, IntegrityError
from twinops.evaluation.printed_page import printed
from twinops.governance.assessment import cnil
from twinops.governance.assessment.approval import ExpectedSigner, signature
from twinops.governance.log.bundle import NAMESPACE, SUMS, VERIFY, sums, verify_page
from twinops.governance.log.provenance import Made, statement
from twinops.governance.people.offices import SOURCE, StaffMember
from twinops.governance.verdicts.brief import Brief
from twinops.ports import Lineage, Production, Signer
from twinops.whole_files import write
from twinops.workflows.candidate import brief
from twinops.workflows.candidate.judge import JudgedCandidate, judge
from twinops.workflows.compliance_files import expected_signers, offices_of, signatory, signature_of
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Bundled:
    """The folder, how many files are in it, and who signed."""

    folder: Path
    files: int
    digest: str
    signed_by: str | None


def bundle(  # noqa: PLR0913  # the first four are supplied by wiring
    places: Places,
    lineage: Lineage,
    signer: Signer,
    production: Production,
    *,
    into: str = "",
    email: str = "",
    key: str = "",
) -> Bundled:
    """Write `evidence/<model>/<key>/` anew, or the folder named; sign its sums when somebody is named.

    Raises:
        DataError: the documents were not built, or the folder holds something else.
        ParamsError: nobody of this address holds an office.

    """
    judged = judge(places, lineage)
    person = signatory(places, email) if email else None
    files = {**dict(_files(places, lineage, judged)), **_brief(brief.of(places, production, judged))}
    name, candidate = judged.evidence.model, judged.evidence.key
    signers = _signers(places, person)
    files[VERIFY] = verify_page(files, model=name, key=candidate, signers=signers).encode()
    folder = Path(into) if into else places.root / "evidence" / name / candidate[:12]
    _emptied(folder)
    for name, content in {**files, SUMS: sums(files).encode()}.items():
        write(folder / name, content)
    if person is not None:
        _sign(places, signer, folder / SUMS, person, Path(key).expanduser())
    digest = hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()
    return Bundled(folder, len(files) + 1, digest, email or None)


def _files(places: Places, lineage: Lineage, judged: JudgedCandidate) -> Iterator[tuple[str, bytes]]:
    """Everything by its place in the bundle."""
    cards = places.card(judged.evidence.model, "any").parent
    if not cards.is_dir():
        raise DataError("There are no documents yet.", hint="Run `make run`, or `twinops documents build`.")
    folders = {"documents": cards, "figures": places.figure("any").parent, "compliance": places.compliance}
    for home, folder in folders.items():
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            if not path.name.isprintable() or "\\" in path.name:
                raise DataError(f"A file of {home}/ has a name that cannot be listed.", hint="Give it a plain name.")
            yield f"{home}/{path.relative_to(folder).as_posix()}", path.read_bytes()
    for path in (places.evidence, places.root / "dvc.lock", places.root / "params.yaml", places.model):
        if path.is_file():
            yield f"model/{path.name}" if path == places.model else path.name, path.read_bytes()
    yield "allowed_signers", offices_of(places).allowed_signers.encode()
    yield "judged-evidence.json", judged.evidence.to_json().encode()
    yield "decision.json", _json(judged.decision.to_dict())
    yield "cnil-pia.json", _json(cnil.export(judged.evidence))
    yield "provenance.intoto.json", _json(_provenance(places, lineage, judged))


def _brief(page: Brief) -> dict[str, bytes]:
    """The one page, to read and to print."""
    return {"brief.txt": f"{page.text()}\n".encode(), "brief.pdf": printed(page.title, page.passages)}


def _signers(places: Places, person: StaffMember | None) -> dict[str, str]:
    """Who must have signed what is signed, as `allowed_signers` names people in their offices."""
    written = {n: expected.principal for n, expected in expected_signers(places, offices_of(places)).items()}
    return {**written, SUMS: person.principals[-1]} if person else written


def _provenance(places: Places, lineage: Lineage, judged: JudgedCandidate) -> object:
    path = places.model.relative_to(places.root).as_posix()
    digest = hashlib.sha256(places.model.read_bytes()).hexdigest() if places.model.is_file() else ""
    return statement(Made(path, digest, judged.evidence.key, lineage.git_revision(), lineage.stages()))


def _emptied(folder: Path) -> None:
    """An older bundle makes room; anything else is left alone."""
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / SUMS).is_file():
        raise DataError(f"{folder.name} holds something else.", hint="Name an empty folder.")
    shutil.rmtree(folder)


def _sign(places: Places, signer: Signer, path: Path, person: StaffMember, key: Path) -> None:
    """Sign, and look at the signature as everyone will."""
    signer.sign(path, key=key, namespace=NAMESPACE)
    today = datetime.now(UTC).date()
    expected = ExpectedSigner(offices_of(places), str(person.office), str(person.name), today)
    made = signature(path.read_bytes(), signature_of(path), expected, namespace=NAMESPACE)
    if not made.counts:
        path.with_name(f"{SUMS}.sig").unlink(missing_ok=True)
        raise IntegrityError(f"Not signed: {made.problem}.", hint=f"The key stands in {SOURCE}.")


def _json(value: object) -> bytes:
    return (to_json(value, indent=1) + "\n").encode()
