"""Read `compliance/offices.yaml`: who holds which office, with which account, e-mails and key; who runs the gates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from twinops.entities.canonical import digest
from twinops.governance.people import lookalikes, sshsig
from twinops.governance.people.addresses import compared, mailbox
from twinops.governance.reading import Record, Text, checked, parse

SOURCE = "compliance/offices.yaml"
NAMESPACE = "twinops-offices"
"""What an ssh key signs a new version of this file for."""
DATA_OWNER, RISK_OFFICER, DPO = "data owner", "risk officer", "data protection officer"
OFFICES = (DATA_OWNER, RISK_OFFICER, DPO)
OfficeName = Literal["data owner", "risk officer", "data protection officer"]
GATE_RUNNER = "gate-runner"
ROLES = {RISK_OFFICER: "risk-officer", DATA_OWNER: "data-owner", DPO: "dpo"}
"""The role on the registry server that goes with an office; the account needs both."""
ONCE = ("name", "account", "key")

Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$")]
Alias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Email = Annotated[str, Field(pattern=r'^[^\s,*?!<>()\[\]`|&"#]{1,64}@[^\s,*?!<>()\[\]`|&"#]{1,190}$')]
PublicKey = Annotated[str, BeforeValidator(sshsig.public_key)]


class StaffMember(Record):
    """One person, or an account for which nobody is named yet; `office` None: works on candidates, decides nothing.

    The data protection officer advises (GDPR art. 38(6)); a data owner answers for the data and resolves the gates that
    the policy names her for.
    """

    name: Text | None = None
    emails: tuple[Email, ...] = ()
    account: Account | None = None
    office: OfficeName | None = None
    valid_until: date | None = None
    key: PublicKey | None = None

    def holds(self, office: str, *, on: date) -> bool:
        """Does this person hold the office on that day?"""
        return self.office == office and (self.valid_until is None or on <= self.valid_until)

    @property
    def principals(self) -> tuple[str, ...]:
        """What a signature by this person may be verified as; `risk-officer:ann@example.org` asks for the office."""
        return (*self.emails, *(f"{ROLES[self.office]}:{email}" for email in self.emails if self.office))

    def has(self, email: str) -> bool:
        """Is this e-mail theirs?"""
        return compared(email) in {compared(e) for e in self.emails}


class Offices(Record):
    """The whole file; on the registry, as the server activated it."""

    version: Text
    protected_aliases: Annotated[tuple[Alias, ...], Field(min_length=1)] = ("production",)
    approval_days: Annotated[int, Field(ge=1, le=730)] = 180
    gate_runners: Annotated[tuple[Account, ...], Field(min_length=1)]
    people: tuple[StaffMember, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over what it says."""
        return digest(self.model_dump(mode="json"))

    @property
    def allowed_signers(self) -> str:
        """The keys as `ssh-keygen -Y verify` reads them: under each e-mail, and under the office with it."""
        lines = (f'{",".join(p.principals)} namespaces="twinops-*" {p.key}\n' for p in self.people if p.key)
        return "".join(lines)

    def officer(self, account: str, *, on: date) -> StaffMember | None:
        """Who decides or advises with this account on that day."""
        found = (p for p in self.people if p.account == account and p.office and p.holds(p.office, on=on))
        return next(found, None)

    def holding(self, office: str) -> tuple[StaffMember, ...]:
        """Everyone with this office who is named."""
        return tuple(p for p in self.people if p.office == office and p.name)

    def by_email(self, email: str) -> StaffMember | None:
        """Whose e-mail this is."""
        return next((p for p in self.people if p.has(email)), None)

    def by_key(self, key: str) -> StaffMember | None:
        """Whose ssh key this is."""
        return next((p for p in self.people if p.key == key), None)

    def accounts_of(self, emails: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
        """Accounts behind these e-mails, and the e-mails that belong to no account."""
        found = {email: (p := self.by_email(email)) and p.account for email in emails}
        strangers = tuple(sorted(email for email, account in found.items() if account is None))
        return frozenset(account for account in found.values() if account), strangers


NOBODY = Offices.model_construct(
    version="none", protected_aliases=("production",), approval_days=180, gate_runners=(), people=()
)
"""Where there is no file: nobody holds an office, so nothing that is signed counts."""


def read(text: str, *, name: str = SOURCE) -> Offices:
    """The checked file.

    Raises:
        ParamsError: not YAML, an unknown key, one person with two offices or one key for two persons, nobody who may
            decide; all mistakes together.
    """
    raw = parse(text, name=name)
    return checked(Offices, raw, name=name, more=_mistakes(raw))


def line_for(office: str, *, key: bool = False) -> str:
    """The line that gives somebody an office, in which file, and the command that writes it.

    >>> line_for("data owner").partition(", or ")[0]
    'Under `people` in compliance/offices.yaml write `- {name: NAME, emails: [E-MAIL], office: data owner}`'
    """
    of_key, typed = (", key: PUBLIC KEY", " --key KEY.pub") if key else ("", "")
    written = f"- {{name: NAME, emails: [E-MAIL], office: {office}{of_key}}}"
    command = f"twinops officers add NAME --email E-MAIL --office '{office}'{typed}"
    return f"Under `people` in {SOURCE} write `{written}`, or type `{command}`"


def office_asked(who: str) -> str:
    """The office that a question is asked of: the one its `who` begins with.

    >>> office_asked("data owner with the data protection officer's advice")
    'data owner'
    """
    return next((office for office in OFFICES if who.startswith(office)), DATA_OWNER)


def _mistakes(raw: Any) -> Iterator[str]:
    """What no single field shows."""
    people = _people(raw)
    for field in ONCE:
        yield from _twice(field, [_spelled(p.get(field)) for p in people if p.get(field) is not None])
    yield from _twice("e-mail", [compared(str(e)) for p in people for e in _listed(p.get("emails"))])
    yield from _same_person([p for p in people if p.get("office")])
    for place, person in enumerate(people):
        yield from (f"people.{place}: {one}" for one in _lacking(person))
    if not any(p.get("office") == RISK_OFFICER for p in people):
        yield f"people: nobody holds the office of {RISK_OFFICER}, so nobody could approve. {line_for(RISK_OFFICER)}"
    runners = {str(r) for r in _listed(raw.get("gate_runners"))} if isinstance(raw, Mapping) else set()
    for account in sorted({str(p.get("account")) for p in people if p.get("office")} & runners):
        yield f"gate_runners: {account} holds an office: who decides does not run the gates"


def _people(raw: Any) -> list[Mapping[str, Any]]:
    listed = _listed(raw.get("people")) if isinstance(raw, Mapping) else ()
    return [p for p in listed if isinstance(p, Mapping)]


def _twice(field: str, given: list[str]) -> Iterator[str]:
    """A person is one line: a second under another name with the same key would decide and advise at once."""
    for one in sorted({o for o in given if given.count(o) > 1}):
        yield f"people: {field} {one!r:.60} stands twice; a person has one line and one office (art. 38(6))"


def _same_person(officers: list[Mapping[str, Any]]) -> Iterator[str]:
    """Two officers whose names or mailboxes are taken for each other: one person would decide on her own answers."""
    for one, other in combinations(officers, 2):
        names = [lookalikes.named(str(p.get("name") or "")) for p in (one, other)]
        boxes = [{mailbox(str(e)) for e in _listed(p.get("emails"))} for p in (one, other)]
        if (all(names) and (names[0] <= names[1] or names[1] <= names[0])) or boxes[0] & boxes[1]:
            who = " and ".join(str(p.get("name")) for p in (one, other))
            yield f"people: {who:.120} are taken for one person in two offices; write names and addresses that differ"


def _lacking(person: Mapping[str, Any]) -> Iterator[str]:
    if not person.get("account") and not person.get("emails"):
        yield "neither an account nor an e-mail, so this is nobody"
    if person.get("key") and not (person.get("name") and person.get("emails")):
        yield "a key signs under a name and an e-mail: give both"


def _spelled(value: Any) -> str:
    """As it is compared: a key in its one way to be written, all else without case and extra white space."""
    try:
        return sshsig.public_key(value)
    except ValueError:
        return " ".join(str(value).split()).casefold()


def _listed(given: Any) -> tuple[Any, ...]:
    return given if isinstance(given, tuple) else ()
