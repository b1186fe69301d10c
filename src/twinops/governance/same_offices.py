"""Whether the two lists of offices tell the same: `people.yaml` (who signs with a key) and `officers.yaml` (accounts).

The registry believes its own officers file. What a candidate brings along is compared with it: whoever decided on the
impact assessment there must hold that office here. The bridge is the e-mail, in `people` of the officers file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twinops.governance.answers import ADVICE, DECISION
from twinops.governance.officers import OFFICES, RISK_OFFICER, Officers
from twinops.governance.people import People

SIGNATURES = "dpia.signatures"
_ASKED = {DECISION: OFFICES[RISK_OFFICER], ADVICE: OFFICES["dpo"]}


def disagreements(people: People, officers: Officers) -> tuple[str, ...]:
    """Every office that one file gives and the other does not, in sentences without names or e-mails."""
    return (*_only_in_people(people, officers), *_only_in_officers(people, officers))


def strange_signers(signatures: Any, officers: Officers) -> tuple[str, ...]:
    """Signatures under an impact assessment by people who do not hold that office on this registry."""
    given = signatures if isinstance(signatures, Mapping) else {}
    return tuple(
        f"The impact assessment's {str(name).replace('_', ' ')} is signed by somebody who, by the officers file, "
        f"{'is not the ' + _ASKED[name] if name in _ASKED else 'belongs to no account'}."
        for name, one in sorted(given.items())
        if isinstance(one, Mapping) and one.get("counts") and not _may(str(one.get("by")), _ASKED.get(name), officers)
    )


def _may(email: str, office: str | None, officers: Officers) -> bool:
    account = officers.account_of(email)
    return account is not None and (office is None or office in _offices(account, officers))


def _only_in_people(people: People, officers: Officers) -> Iterator[str]:
    for number, person in enumerate(people.people):
        account = officers.account_of(person.email)
        if account is None:
            yield f"people.{number} of people.yaml: the e-mail belongs to no account of officers.yaml"
            continue
        for role in person.roles:
            if role not in _offices(account, officers):
                yield f"people.{number} of people.yaml holds the office of {role}; in officers.yaml, {account} does not"


def _only_in_officers(people: People, officers: Officers) -> Iterator[str]:
    """An account without an e-mail signs nothing in the repository, so nothing there can differ."""
    mails = {p.account: {e.strip().casefold() for e in p.emails} for p in officers.people}
    for office in officers.officers:
        own, role = mails.get(office.account, set()), OFFICES[office.role]
        if own and not any(p.email.casefold() in own and role in p.roles for p in people.people):
            yield f"{office.account} holds the office of {role} in officers.yaml, and not in people.yaml"


def _offices(account: str, officers: Officers) -> frozenset[str]:
    return frozenset(OFFICES[o.role] for o in officers.officers if o.account == account)
