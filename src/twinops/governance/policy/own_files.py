"""Files of the project that are an office's own: writing them is deciding, not working on the candidate.

A file is somebody's own when their office may write it and they signed exactly these bytes, with the key that the
active offices file gives; rules count when they were activated with their account. Everything else is work.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twinops.entities.canonical import digest
from twinops.errors import ParamsError
from twinops.governance.assessment import answers
from twinops.governance.law import retention
from twinops.governance.people.offices import DATA_OWNER, DPO, OFFICES, RISK_OFFICER, Offices, StaffMember
from twinops.governance.people.sshsig import NotSigned, signing_key
from twinops.governance.policy import resolution

SIGNATURE = ".sig"
RULES = ("compliance/policy.yaml", "compliance/offices.yaml")
ASSESSED, ADVICE = "compliance/dpia/assessed.json", f"compliance/dpia/{answers.ADVICE}.yaml"
Read = Callable[[str], bytes | None]
"""A file of one commit by its path in the project; None: it is not there."""


@dataclass(frozen=True)
class OwnFile:
    """A kind of file, the offices that may call it their own, and what their signature on it is made for."""

    pattern: str
    offices: tuple[str, ...]
    namespace: str


KINDS = (
    OwnFile(rf"compliance/dpia/{answers.DECISION}\.yaml", (RISK_OFFICER,), answers.NAMESPACE),
    OwnFile(rf"compliance/dpia/{answers.ADVICE}\.yaml", (DPO,), answers.NAMESPACE),
    OwnFile(r"compliance/dpia/[a-z_]{1,60}\.yaml", (DATA_OWNER,), answers.NAMESPACE),
    OwnFile(rf"compliance/{resolution.FOLDER}/[a-z0-9_]{{1,60}}\.yaml", OFFICES, resolution.NAMESPACE),
    OwnFile(r"compliance/retention\.yaml", (DATA_OWNER,), retention.NAMESPACE),
)


@dataclass(frozen=True)
class Known:
    """Whom the registry knows, and which rules it was given: the SHA-256 of each text with the account it came from."""

    offices: Offices
    activated: frozenset[tuple[str, str]] = frozenset()


def all_own(paths: Iterable[str], person: StaffMember | None, *, read: Read, known: Known) -> bool:
    """Are all of these, as this commit has them, the person's own?"""
    return person is not None and all(_own(path, person, read, known) for path in paths)


def _own(path: str, person: StaffMember, read: Read, known: Known) -> bool:
    content = read(path.removesuffix(SIGNATURE))
    if content is None:
        return False  # what was taken away nobody signed
    if path in RULES:
        return person.office == RISK_OFFICER and (hashlib.sha256(content).hexdigest(), str(person.account)) in (
            known.activated
        )
    if path == ASSESSED:
        return _advised_on(content, person, read)
    kind = next((k for k in KINDS if re.fullmatch(k.pattern, path.removesuffix(SIGNATURE))), None)
    return kind is not None and person.office in kind.offices and _signed(path, person, read, kind.namespace)


def _signed(path: str, person: StaffMember, read: Read, namespace: str) -> bool:
    name = path.removesuffix(SIGNATURE)
    content, beside = read(name), read(name + SIGNATURE)
    if content is None or beside is None or person.key is None:
        return False
    try:
        return signing_key(content, beside.decode(errors="replace"), namespace=namespace) == person.key
    except NotSigned:
        return False


def _advised_on(content: bytes, person: StaffMember, read: Read) -> bool:
    """The description that the officer's signed advice names by its digest."""
    if person.office != DPO or not _signed(ADVICE, person, read, answers.NAMESPACE):
        return False
    try:
        given = answers.read((read(ADVICE) or b"").decode(), field=answers.ADVICE).given_for
        return given is not None and digest(json.loads(content)) == given.assessed
    except (ValueError, ParamsError, RecursionError):
        return False
