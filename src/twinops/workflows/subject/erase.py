"""Erase persons (GDPR art. 17): keys destroyed, clones and versions told, and a certificate that says what is not.

What is recorded in the transaction that destroys the keys decides all that follows, so whoever is killed in between
runs the command again and gets the same certificate.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twinops import plugins
from twinops.data.own_sources.law import SOURCES
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.consent import Event
from twinops.entities.day_count import DayCount
from twinops.entities.erasure import CopyFound, Erasing, ErasureMarks
from twinops.entities.event import stamp
from twinops.entities.rights import Right, RightsAct, RightsEntry, pseudonym
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.governance import erasure_certificate
from twinops.governance.people import offices, sshsig
from twinops.governance.people.offices import StaffMember, line_for
from twinops.governance.policy.limits import ErasurePolicy
from twinops.own_params import OwnParams
from twinops.params import AgesParams, SourcesParams
from twinops.ports import Commits, Copies, Engine, KeyKeeper, RightsKeeper, Signer, Versions
from twinops.whole_files import write
from twinops.workflows.compliance_files import offices_of
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_use import controller_of
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.receipts import Receipts
from twinops.workflows.subject.identities import Identities, PersonHeld
from twinops.workflows.subject.other_holders import exports, own_files, recipients

MOST_REASON = 300
LEARNED = "data/trained/subjects.parquet"
TAG = "erasure"
RESUME = "`twinops subject erase --resume` takes the steps that are left; the keys are gone already."
RESTRAINED = ("18(1)(b)", "18(1)(c)")
"""Grounds on which the person wants the data kept, or needs them for a claim: first the restriction is lifted."""


@dataclass(frozen=True)
class ErasureAsked:
    """Who is to be erased, why, and by whom: name, address or account in compliance/offices.yaml, and ssh key."""

    ids: tuple[str, ...] = field(repr=False)
    reason: str
    by: str
    key: Path
    moment: datetime
    models: str | None = None
    why_kept: str = ""


@dataclass(frozen=True)
class ErasureDone:
    """What became of it. `refused`: nothing was done, and why; `already`: so many had been erased before."""

    certificates: tuple[Path, ...] = ()
    persons: int = 0
    already: int = 0
    commit: str | None = None
    named_in_the_open: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Eraser:
    """The project for a command that erases: its people, keys, copies, ledgers and history."""

    places: Places
    engine: Engine
    keys: KeyKeeper
    rights: RightsKeeper
    copies: Copies
    versions: Versions
    commits: Commits
    signer: Signer
    as_of: date
    days: DayCount
    sources: SourcesParams
    own: OwnParams
    adults: AgesParams

    @property
    def receipts(self) -> Receipts:
        """The people's data, opened by a store that may be ahead of the project."""
        return Receipts(DataPlane(self.places, self.engine, self.keys), self.as_of, self.days, self.adults, self.own)


def unsaid(_step: str) -> None:
    """Nobody waits for a word."""


def erase(asked: ErasureAsked, say: Callable[[str], None] = unsaid, *, eraser: Eraser) -> ErasureDone:
    """Erase these persons with every identity of theirs; whoever is erased already is told so. `say` hears each step.

    Raises:
        ParamsError: no reason, or the key is not the one the officer's line names.
        DataError: somebody is not known; then nothing was done for anybody.
    """
    officer = _officer(asked, eraser)
    if isinstance(officer, str):
        return ErasureDone(refused=(officer,))
    _against_reason(asked)
    eraser.commits.against_unready()
    _against_key(asked, officer, eraser)
    before = _finished(asked, eraser)  # what a killed command left undone comes first
    people = Identities(eraser.receipts, eraser.keys, tuple(eraser.rights.entries()))
    meant = people.sids_of(asked.ids)
    gone = eraser.keys.erased_as([i for i in asked.ids if i not in meant])
    _against_strangers(asked, meant, gone)
    persons = _persons(people, meant.values())
    refused = tuple(_refusals(persons, eraser.rights.entries()))
    if refused:
        return ErasureDone(refused=refused)
    if persons:
        say(f"looking at every kind of copy of {len(persons):,} person{'s' * (len(persons) != 1)} ...")
        _destroyed(asked, officer, persons, people, eraser)
        say("the keys are destroyed; ledgers, versions and certificate follow (if this breaks off: --resume) ...")
    done = _finished(asked, eraser) if persons else before
    named = sorted(set(gone.values()))
    old = tuple(eraser.places.certificate(name) for name in named)
    return ErasureDone(tuple(dict.fromkeys((*old, *done.certificates))), len(persons), len(gone), done.commit,
                       done.named_in_the_open)  # fmt: skip


def read_ids(path: Path) -> tuple[str, ...]:
    """The first cell of each line; a line that begins with `id` is a header.

    Raises:
        DataError: it is not there, cannot be read, or holds nobody.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [row[0].strip() for row in csv.reader(file) if row and row[0].strip()]
    except FileNotFoundError:
        raise DataError(f"There is no file {path}.", hint="Names count from this folder.") from None
    except (OSError, UnicodeDecodeError, csv.Error):
        raise DataError(f"{path.name} cannot be read.", hint="One id a line, UTF-8.") from None
    ids = tuple(dict.fromkeys(cells[1:] if cells and cells[0].casefold() in ("id", "who", "subject") else cells))
    if not ids:
        raise DataError(f"{path.name} names nobody.", hint="One id a line, UTF-8.")
    return ids


def _officer(asked: ErasureAsked, eraser: Eraser) -> StaffMember | str:
    people = offices_of(eraser.places).people
    person = next((p for p in people if asked.by.strip() in {p.name, p.account, *p.emails} - {None}), None)
    if person is None or person.name is None or not person.emails:
        raise ParamsError(
            f"{asked.by!r:.60} is nobody in compliance/offices.yaml with a name and an e-mail.",
            hint=f"{line_for(erasure_certificate.OFFICES[0], key=True)}; then give that e-mail with --by.",
        )
    today = asked.moment.date()
    if not any(person.holds(office, on=today) for office in erasure_certificate.OFFICES):
        may = " or the ".join(erasure_certificate.OFFICES)
        line = line_for(erasure_certificate.OFFICES[0], key=True)
        held = f"the office of {person.office}" if person.office else "whoever holds no office"
        return f"Erasure is carried out by the {may}; {held} does not. {line}."
    return person


def _against_reason(asked: ErasureAsked) -> None:
    told = asked.reason.strip()
    if not told or len(told) > MOST_REASON or not told.isprintable():
        what = f"Give a reason of at most {MOST_REASON} printable signs."
        raise ParamsError(what, hint="It stands in the certificate.")
    if any(one in told.split() for one in asked.ids):
        raise ParamsError("The reason names the person.", hint="It stands in the certificate: say why, not who.")
    if asked.models == "keep" and not asked.why_kept.strip():
        raise ParamsError("A model that is kept is kept for a reason.", hint="Give --why-kept.")


def _against_key(asked: ErasureAsked, officer: StaffMember, eraser: Eraser) -> None:
    """Before anything is destroyed: this key signs, and it is the officer's.

    Not in the project: what a killed command leaves there, the next one's certificate would count as a copy.
    """
    with TemporaryDirectory(prefix=f"twinops-erase-{os.getpid()}-") as folder:
        path = Path(folder) / "trial"
        write(path, "whether this key signs\n")
        eraser.signer.sign(path, key=asked.key, namespace=erasure_certificate.NAMESPACE)
        made = path.with_name(path.name + ".sig").read_text(encoding="utf-8")
        try:
            found = sshsig.signing_key(path.read_bytes(), made, namespace=erasure_certificate.NAMESPACE)
        except sshsig.NotSigned as problem:
            hint = "Use an ed25519, rsa or ecdsa key."
            raise IntegrityError(f"The key does not sign: {problem}.", hint=hint) from None
    if found != officer.key:
        none = officer.key is None
        raise IntegrityError(
            f"{offices.SOURCE} names no key for you, so nobody can tell that you signed."
            if none
            else f"This is not the key that {offices.SOURCE} names for you.",
            hint=f"{line_for(officer.office or erasure_certificate.OFFICES[0], key=True)}, in place of your line.",
        )


def _against_strangers(asked: ErasureAsked, meant: Mapping[str, str], gone: Mapping[str, str]) -> None:
    unknown = [place for place, one in enumerate(asked.ids, start=1) if one not in meant and one not in gone]
    if unknown:
        where = "" if len(asked.ids) == 1 else f" Lines: {', '.join(map(str, unknown[:10]))}."
        raise DataError(
            f"{len(unknown)} of {len(asked.ids)} id(s) are nobody's who is held; nobody was erased.{where}",
            hint="Ask by the number in the source, as a consumer's number, or by the subject id.",
        )


def _persons(people: Identities, sids: Iterable[str]) -> tuple[PersonHeld, ...]:
    """Each person once, however many of their identities were named."""
    found: list[PersonHeld] = []
    seen: set[str] = set()
    for sid in sids:
        if sid not in seen:
            found.append(people.person(sid))
            seen |= set(found[-1].sids)
    return tuple(found)


def _refusals(persons: Sequence[PersonHeld], entries: Iterable[RightsEntry]) -> Iterator[str]:
    """Legal claims (art. 17(3)(e)), and persons who want their data kept meanwhile (art. 18(1)(b), (c))."""
    held: dict[str, str] = {}
    for entry in entries:
        if entry.right is Right.HELD:
            held[entry.sid] = f"a hold stands ({entry.act.about.get('ground', '17(3)(e)')})"
        elif entry.right is Right.RESTRICTED and entry.act.about.get("ground") in RESTRAINED:
            held.setdefault(entry.sid, f"a restriction stands ({entry.act.about['ground']})")
        elif entry.right in (Right.RELEASED, Right.UNRESTRICTED):
            held.pop(entry.sid, None)
    for person in persons:
        why = next((held[sid] for sid in person.sids if sid in held), None)
        if why:
            yield f"{pseudonym(person.sids[0])} is not erased: {why}. Tell the person why, and that they may complain."


def _destroyed(
    asked: ErasureAsked, officer: StaffMember, persons: tuple[PersonHeld, ...], people: Identities, eraser: Eraser
) -> None:
    """Look at every copy, then destroy the keys; from then on everything follows from what was recorded."""
    sids = frozenset(s for person in persons for s in person.sids)
    contacts = frozenset(c for person in persons for c in person.contacts)
    names = frozenset(asked.ids) | contacts
    quarantines = people.quarantined(names | sids)
    told = {
        "at": stamp(asked.moment),
        "reason": asked.reason.strip(),
        "by": {"name": officer.name, "email": officer.emails[0], "office": officer.office},
        "controller": controller_of(eraser.places, eraser.own),
        "subjects": [_subject(person) for person in persons],
        "erased": sorted(pseudonym(sid) for sid in sids),
        "quarantines": [list(q) for q in quarantines],
        "copies": [_plain(found) for found in eraser.copies.look(sids, names)],
        "models": list(_models(asked, sids, eraser)),
        "recipients": recipients(eraser.places),
        "exports": list(exports(eraser.rights.entries(), sids)),
        "owner_deletes": _own_files(eraser, sids, people, {source for source, _ in quarantines}),
    }
    eraser.keys.erase(Erasing(tuple(sorted(sids)), tuple(sorted(contacts)), quarantines, told))


def _subject(person: PersonHeld) -> dict[str, Any]:
    return {
        "pseudonym": pseudonym(person.sids[0]), "identities": len(person.sids), "contacts": len(person.contacts),
        "shared_contacts": person.shared_contacts, "minor": person.minor,
    }  # fmt: skip


def _plain(found: CopyFound) -> dict[str, Any]:
    return {**asdict(found), "open": list(found.open)}


def _models(asked: ErasureAsked, sids: frozenset[str], eraser: Eraser) -> Iterator[dict[str, Any]]:
    said: ErasurePolicy = policy_of(eraser.places).erasure
    policy = {"models": asked.models or said.models, "within_days": said.within_days, "why": asked.why_kept.strip()}
    policy["why"] = policy["why"] or "as compliance/policy.yaml says of every version"
    for model, versions in sorted(eraser.versions.all().items()):
        for version in sorted(versions, key=lambda v: int(v.number)):
            digest = version.lineage.get(LEARNED)
            held = None if digest is None else eraser.copies.listed(digest, sids)
            learned = None if held is None else bool(held)
            told = {"model": model, "version": version.number, "aliases": list(version.aliases), "learned": learned}
            yield erasure_certificate.decided(told, policy=policy, day=asked.moment.date())


def _own_files(eraser: Eraser, sids: frozenset[str], people: Identities, aside: Collection[str]) -> list[str]:
    """Whose files hold rows of theirs: those from which some were read, or put `aside`."""
    folder = [] if eraser.sources.folder is None else [f"the files in {eraser.sources.folder}"]
    told = "the file is not ours; collected again, the person is left out"
    without = frozenset(_without(eraser.receipts.plane.tables.of(sids), aside))
    found = own_files(eraser.own, panelist=people.answered(sids), without=without)
    return [f"rows in {one}: {told}" for one in (*found, *folder)]


def _without(theirs: SealedTables, aside: Collection[str]) -> Iterator[str]:
    """Sources that were collected and hold no row of theirs; a list of objections and a ledger fill one table."""
    for name in (n for n in plugins.names(SOURCES) if n not in aside):
        rows = theirs.source(name, otherwise=None) if theirs.collected(name) else None
        if rows is not None and not rows.num_rows:
            yield name
        elif rows is not None and "event" in rows.column_names and Event.OBJECTED not in rows["event"].to_pylist():
            yield "kind:optouts"


def _finished(asked: ErasureAsked, eraser: Eraser) -> ErasureDone:
    """Take the last steps of every act that has not taken them: each may be taken twice."""
    acts = eraser.keys.erasures(unfinished=True)
    if not acts:
        return ErasureDone()
    marks = _marked(acts, eraser)
    _entered(acts, eraser)
    for act in acts:
        _told_to_versions(act, eraser)
    files = [_certified(act, asked, eraser) for act in acts]
    paths = [marks, *(p for made in files for p in (made, made.with_suffix(".md"), Path(f"{made}.sig")))]
    names = ", ".join(act["name"] for act in acts)
    commit = eraser.commits.commit(paths, message=f"Erasure {names}: epoch {acts[-1]['epoch']}, with its certificate")
    for act, made in zip(acts, files, strict=True):
        eraser.keys.finished(act["name"], hashlib.sha256(made.read_bytes()).hexdigest())
    named = tuple(sorted({p for act in acts for found in act["copies"] for p in found["open"]}))
    return ErasureDone(tuple(files), sum(len(a["subjects"]) for a in acts), 0, commit, named)


def resume(asked: ErasureAsked, *, eraser: Eraser) -> ErasureDone:
    """Only the last steps of what a killed command left.

    Raises:
        IntegrityError: the key is not the officer's.
    """
    officer = _officer(asked, eraser)
    if isinstance(officer, str):
        return ErasureDone(refused=(officer,))
    _against_key(asked, officer, eraser)
    return _finished(asked, eraser)


def _marked(acts: Sequence[Mapping[str, Any]], eraser: Eraser) -> Path:
    """`epoch.json` as far as the key store, with the pseudonyms of the erased."""
    path = eraser.places.epoch
    held = ErasureMarks.from_text(path.read_bytes())
    for act in acts:
        held = held.joined(ErasureMarks(act["epoch"], frozenset(act["erased"])))
    if path.read_text(encoding="utf-8") != held.to_text():
        write(path, held.to_text())
    return path


def _entered(acts: Sequence[Mapping[str, Any]], eraser: Eraser) -> None:
    """One entry a person in the ledger of rights, which the audit log follows; never twice."""
    known = {e.act.about.get("erased") for e in eraser.rights.entries() if e.right is Right.ERASED}
    told = [(act, one["pseudonym"]) for act in acts for one in act["subjects"] if one["pseudonym"] not in known]
    # no sid: it stands in no ledger any more, only its pseudonym
    eraser.rights.append(*(
        RightsAct(Right.ERASED, "", a["by"]["office"], a["by"]["name"], about={"erasure": a["name"], "erased": who})
        for a, who in told
    ))  # fmt: skip


def _told_to_versions(act: Mapping[str, Any], eraser: Eraser) -> None:
    for version in act["models"]:
        if version["learned"] is not False:
            told = f"{act['name']}: {version['decision']}"
            eraser.versions.tell(version["model"], version["version"], tags={f"{TAG}.{act['name']}": told})


def _certified(act: Mapping[str, Any], asked: ErasureAsked, eraser: Eraser) -> Path:
    """The certificate, signed; one that is there whole stays as it is."""
    path = eraser.places.certificate(act["name"])
    path.parent.mkdir(exist_ok=True)
    text, signature = erasure_certificate.text(act), Path(f"{path}.sig")
    if path.is_file() and path.read_text(encoding="utf-8") == text and _signs(path, signature):
        return path
    write(path, text)
    write(path.with_suffix(".md"), erasure_certificate.page(act))
    eraser.signer.sign(path, key=asked.key, namespace=erasure_certificate.NAMESPACE)
    return path


def _signs(path: Path, signature: Path) -> bool:
    try:
        told = signature.read_text(encoding="utf-8")
        sshsig.signing_key(path.read_bytes(), told, namespace=erasure_certificate.NAMESPACE)
    except (OSError, sshsig.NotSigned):
        return False
    return path.with_suffix(".md").is_file()
