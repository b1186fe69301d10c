"""Whether those who signed a candidate's impact assessment hold that office on this registry, by its own offices file.

A candidate brings its own `compliance/offices.yaml`, whose keys its signatures were checked against. Whoever decided or
advised there must hold that office here, and must have signed with the key that is known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinops.governance.assessment.answers import ADVICE, DECISION
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


def _strange(signature: Mapping[str, Any], office: str, offices: Offices) -> str:
    person = offices.by_email(str(signature.get("by")))
    if person is None or person.account is None:
        return "belongs to no account"
    if person.office != office:
        return f"is not the {office}"
    if person.key is None or signature.get("key") != fingerprint(person.key):
        return "has another key"
    return ""
