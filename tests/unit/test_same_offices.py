"""People who sign and accounts that decide hold the same offices, or it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinops.governance import officers, people
from twinops.governance.same_offices import disagreements, strange_signers

COMPLIANCE = Path(__file__).parents[2] / "compliance"
OFFICERS = """version: "1"
officers: [{account: rita, role: risk-officer}, {account: dora, role: dpo}, {account: olga, role: data-owner}]
gate_runners: [ci]
people:
  - {account: rita, emails: [Rita@shop.example, rita@home.example]}
  - {account: dora, emails: [dora@shop.example]}
  - {account: olga, emails: [olga@shop.example]}
  - {account: ann, emails: [ann@shop.example]}
"""
PEOPLE = """version: "1"
people:
  - {name: Rita, email: rita@shop.example, roles: [risk officer]}
  - {name: Dora, email: dora@shop.example, roles: [data protection officer]}
  - {name: Olga, email: olga@shop.example, roles: [data owner]}
"""


def told(listed: str = PEOPLE, accounts: str = OFFICERS) -> tuple[str, ...]:
    return disagreements(people.read(listed), officers.read(accounts))


def test_the_repositorys_own_files_agree() -> None:
    assert told((COMPLIANCE / "people.yaml").read_text(), (COMPLIANCE / "officers.yaml").read_text()) == ()


def test_the_same_offices_agree() -> None:
    assert told() == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rita@shop.example, roles: [risk", "ann@shop.example, roles: [risk", "ann does not"),
        ("rita@shop.example, roles", "eve@shop.example, roles", "belongs to no account"),
        ("[data owner]", "[data owner, risk officer]", "olga does not"),
        ("  - {name: Dora, email: dora@shop.example, roles: [data protection officer]}\n", "", "dora holds the office"),
    ],
)
def test_an_office_in_one_file_alone_is_told_without_an_e_mail(old: str, new: str, said: str) -> None:
    found = told(PEOPLE.replace(old, new))
    assert any(said in one for one in found), found
    assert "@" not in "".join(found)


def test_an_account_without_an_e_mail_signs_nothing_so_nothing_differs() -> None:
    assert told('version: "1"\npeople: []\n', OFFICERS[: OFFICERS.index("people:")]) == ()


def test_who_decided_there_holds_the_office_here() -> None:
    here = officers.read(OFFICERS)

    def strangers(**who: str) -> tuple[str, ...]:
        signed = {"decision": "rita@shop.example", "dpo_advice": "dora@shop.example", "residual": "olga@shop.example"}
        return strange_signers({n: {"by": e, "counts": True} for n, e in {**signed, **who}.items()}, here)

    assert strangers() == ()
    assert (
        "decision is signed by somebody who, by the officers file, is not the risk officer"
        in strangers(decision="ann@shop.example")[0]
    )
    assert "not the data protection officer" in strangers(dpo_advice="rita@shop.example")[0]
    assert "belongs to no account" in strangers(residual="eve@shop.example")[0]
    assert strange_signers({"decision": {"by": "", "counts": False}}, here) == (), "the gate tells what does not count"
    assert strange_signers(None, here) == ()
