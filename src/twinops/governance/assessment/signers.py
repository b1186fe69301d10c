"""Whether those who signed a candidate's assessment or justification hold that office here, by this registry's offices.

A candidate brings its own `compliance/offices.yaml`, whose keys its signatures were checked against. Whoever decided or
advised there must hold that office here, and must have signed with the key that is known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinops.governance.assessment.answers import ADVICE, DECISION
from twinops.governance.assessment.justification import SIGNERS
from twinops.governance.people.offices import DATA_OWNER, DPO, RISK_OFFICER, Offices
from twinops.governance.people.sshsig import fingerprint

SIGNATURES = "dpia.signatures"
_ASKED = {DECISION: RISK_OFFICER, ADVICE: DPO}
"""Who is asked; everything else is the data owner's to answer."""


def strange_signers(signatures: Any, offices: Offices) -> tuple[str, ...]:
    """Signatures under an impact assessment by people who do not hold that office here, or with a key unknown here."""
    given = signatures if isinstance(signatures, Mapping) else {}
    told = {
        name: _strange(one, _ASKED.get(name, DATA_OWNER), offices)
        for name, one in sorted(given.items())
        if isinstance(one, Mapping) and one.get("counts")
    }
    return tuple(
        f"The impact assessment's {str(name).replace('_', ' ')} is signed by somebody who, by the offices file, {why}."
        for name, why in told.items()
        if why
    )


def strange_justifiers(justifications: Any, offices: Offices) -> tuple[str, ...]:
    """The same of what was signed to justify that a group is reached less often."""
    listed = justifications if isinstance(justifications, (list, tuple)) else ()
    each = [one for one in listed if isinstance(one, Mapping) and one.get("signed")]
    told = [(one, office, _by_office(one, office, offices)) for one in each for office in SIGNERS.values()]
    return tuple(
        f"The justification of {one.get('attribute')} is signed for the {office} by somebody who, by the offices file, "
        f"{why}."
        for one, office, why in told
        if why
    )


def _by_office(one: Mapping[str, Any], office: str, offices: Offices) -> str:
    signatures = one.get("signatures")
    signature = signatures.get(office) if isinstance(signatures, Mapping) else None
    return _strange(signature, office, offices) if isinstance(signature, Mapping) else "is not known"


def _strange(signature: Mapping[str, Any], office: str, offices: Offices) -> str:
    person = offices.by_email(str(signature.get("by")))
    if person is None or person.account is None:
        return "belongs to no account"
    if person.office != office:
        return f"is not the {office}"
    if person.key is None or signature.get("key") != fingerprint(person.key):
        return "has another key"
    return ""
