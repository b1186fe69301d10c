"""Read who may decide what: officers, gate runners, and which account a commit's e-mail belongs to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from twinops.entities.canonical import digest
from twinops.governance.people import DPO
from twinops.governance.reading import Record, Text, checked, parse

Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$")]
Alias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
RISK_OFFICER = "risk-officer"
GATE_RUNNER = "gate-runner"
OFFICES = {RISK_OFFICER: "risk officer", "data-owner": "data owner", "dpo": DPO}
"""Roles of this server by the words that `policy.yaml` and `people.yaml` use for the same offices."""


class Officer(Record):
    """One account with an office: the risk officer decides, the data protection officer advises (GDPR art. 38(6)).

    A data owner settles the gates that the policy names her for, and decides nothing else.
    """

    account: Account
    role: Literal["risk-officer", "data-owner", "dpo"]
    valid_until: date | None = None
    public_key: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Ed25519, hexadecimal. With one, rules this officer activates must carry its signature."""


class Person(Record):
    """Whose commits these are."""

    account: Account
    emails: Annotated[tuple[Text, ...], Field(min_length=1)]


class Officers(Record):
    """The whole of `compliance/officers.yaml`, as the server activated it."""

    version: Text
    protected_aliases: Annotated[tuple[Alias, ...], Field(min_length=1)] = ("production",)
    approval_days: Annotated[int, Field(ge=1, le=730)] = 180
    officers: Annotated[tuple[Officer, ...], Field(min_length=1)]
    gate_runners: Annotated[tuple[Account, ...], Field(min_length=1)]
    people: tuple[Person, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over what it says."""
        return digest(self.model_dump(mode="json"))

    def officer(self, account: str, *, on: date) -> Officer | None:
        """The account's office on that day."""
        return next(
            (o for o in self.officers if o.account == account and (o.valid_until is None or on <= o.valid_until)), None
        )

    def account_of(self, email: str) -> str | None:
        """Whose e-mail this is."""
        asked = email.strip().casefold()
        return next((p.account for p in self.people if asked in {e.strip().casefold() for e in p.emails}), None)

    def accounts_of(self, emails: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
        """Accounts behind these e-mails, and how many e-mails belong to nobody known (told without showing them)."""
        found = [self.account_of(email) for email in emails]
        nobody = sum(1 for account in found if account is None)
        unknown = (f"{nobody} git author(s) whose e-mail belongs to no account",) if nobody else ()
        return frozenset(account for account in found if account), unknown

    @model_validator(mode="after")
    def _someone_decides(self) -> Self:
        if not any(o.role == RISK_OFFICER for o in self.officers):
            raise ValueError("no officer has the role risk-officer: nobody could approve")
        return self

    @model_validator(mode="after")
    def _apart(self) -> Self:
        both = sorted({o.account for o in self.officers} & set(self.gate_runners))
        if both:
            raise ValueError(f"{', '.join(both)}: who decides does not run the gates")
        return self

    @model_validator(mode="after")
    def _one_office_each(self) -> Self:
        names = [o.account for o in self.officers]
        if len(set(names)) < len(names):
            raise ValueError("an account is listed twice: the officer who advises does not decide (art. 38(6))")
        return self


def read(text: str, *, name: str = "compliance/officers.yaml") -> Officers:
    """The officers of this text.

    Raises:
        ParamsError: not YAML, unknown keys, nobody who may decide, or one account on both sides; all together.

    """
    return checked(Officers, parse(text, name=name), name=name)


def plain_alias(alias: str) -> str:
    r"""An alias without the marks by which a look-alike differs: compatibility forms, accents, case, white space.

    >>> plain_alias("Produ\u0301ction\n"), plain_alias("ＰＲＯＤＵＣＴＩＯＮ"), plain_alias("pro-duction")
    ('production', 'production', 'production')
    """
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", alias).casefold())
    return re.sub(r"[\W_]", "", "".join(_LOOKALIKE.get(c, c) for c in letters if not unicodedata.combining(c)))


_LOOKALIKE = dict(zip("аеорсухіјѕԁһпгтικоνρτυ0135", "aeopcyxijsdhnrtikovptuoies", strict=True))
"""Letters of other scripts, and digits, that read like Latin ones."""


def resembles(alias: str, protected: Iterable[str]) -> str | None:
    """The protected alias that this one looks like without being it."""
    shape = plain_alias(alias)
    return next((name for name in protected if alias != name and plain_alias(name) == shape), None)
