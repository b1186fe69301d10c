"""One file says who holds which office, with which account, e-mails and key; everything wrong in it is told at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from twinops.adapters.memory.governance import MemorySigner
from twinops.errors import ParamsError
from twinops.governance.assessment.signers import strange_signers
from twinops.governance.people.offices import DPO, NOBODY, RISK_OFFICER, StaffMember, read
from twinops.governance.people.offices_edit import with_person, without_person
from twinops.governance.people.sshsig import fingerprint

RITA, DORA, OLGA, ANN = (MemorySigner().public for _ in range(4))
FILE = f"""# Ours
version: "1"
gate_runners: [ci]   # a machine
people:
  - {{name: Rita, emails: [Rita@shop.example, r@home.example], account: rita, office: risk officer, key: {RITA}}}
  # she advises
  - {{name: Dora, emails: [dora@shop.example], account: dora, office: data protection officer, key: {DORA}}}
  - {{name: Olga, emails: [olga@shop.example], account: olga, office: data owner, key: {OLGA}}}
  - {{account: ann, emails: [ann@shop.example]}}
"""
OFFICES = read(FILE)
TODAY = date(2026, 11, 25)


def test_the_shipped_file_reads_and_names_nobody():
    shipped = read((Path(__file__).parents[4] / "compliance" / "offices.yaml").read_text())
    assert shipped.protected_aliases == ("production",)
    assert not any(p.name for p in shipped.people)


def test_a_person_is_found_by_account_e_mail_and_key():
    assert OFFICES.officer("rita", on=TODAY) is OFFICES.by_email("rita@SHOP.example") is OFFICES.by_key(RITA)
    assert [p.name for p in OFFICES.holding(DPO)] == ["Dora"]
    assert OFFICES.officer("ann", on=TODAY) is None, "she holds no office"
    assert OFFICES.officer("ci", on=TODAY) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: Dora", "name: R\u0456ta"),
        ("name: Dora", "name: R\u00edta"),
        ("name: Dora", "name: Dr. Rita"),
        ("name: Dora", "name: Rita X."),
        ("name: Dora", "name: Rita Risk"),
        ("name: Dora", 'name: "Ri\u200bta"'),
        ("dora@shop.example", "rita+dpo@shop.example"),
        ("dora@shop.example", "r\u0456ta@shop.example"),
    ],
)
def test_two_officers_who_are_taken_for_one_person_are_a_mistake(old: str, new: str) -> None:
    """Each with a key of her own: one person would decide on what she answered herself (art. 38(6))."""
    with pytest.raises(ParamsError, match="taken for one person in two offices"):
        read(FILE.replace(old, new))


def test_who_holds_no_office_may_be_called_like_an_officer() -> None:
    assert read(FILE.replace("account: ann,", "account: ann, name: Rita Ann,"))


def test_where_there_is_no_file_nobody_holds_an_office():
    assert (NOBODY.people, NOBODY.by_key(RITA), NOBODY.allowed_signers) == ((), None, "")


def test_an_office_ends_with_its_last_day():
    ending = read(FILE.replace("office: risk officer", "office: risk officer, valid_until: 2026-11-25"))
    rita = ending.people[0]
    assert rita.holds(RISK_OFFICER, on=TODAY)
    assert not rita.holds(RISK_OFFICER, on=date(2026, 11, 26))
    assert ending.officer("rita", on=date(2026, 11, 26)) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("office: risk officer", "office: data owner", "nobody holds the office of risk officer"),
        ("office: risk officer", "office: boss", "people.0.office"),
        ("office: risk officer", "offices: [risk officer]", "people.0.offices"),
        (f"key: {OLGA}", f"key: {DORA}", "key 'ssh-ed25519"),
        (f"key: {OLGA}", "key: ssh-ed25519 AAAA", "no public key"),
        ("dora@shop.example", "rita@shop.example", "e-mail 'rita@shop.example' stands twice"),
        ("name: Dora", "name: ' rita '", "name 'rita' stands twice"),
        ("account: dora", "account: rita", "account 'rita' stands twice"),
        ("[dora@shop.example]", "['*@shop.example']", "people.1.emails.0"),
        ("[dora@shop.example]", "[]", "a key signs under a name and an e-mail"),
        ("account: ann, emails: [ann@shop.example]", "name: Ann", "this is nobody"),
        ("gate_runners: [ci]", "gate_runners: [rita]", "who decides does not run the gates"),
        ("gate_runners: [ci]", "gate_runners: []", "gate_runners"),
        ('version: "1"', 'version: "1"\napproval_days: 0', "approval_days"),
        ('version: "1"', 'version: "1"\nprotected_aliases: [Production]', "protected_aliases"),
        ('version: "1"', 'version: "1"\nunknown: 1', "unknown"),
    ],
    ids=lambda said: said.split("AAAA")[0],
)
def test_a_file_that_mixes_offices_or_says_nothing_is_a_mistake(old: str, new: str, said: str):
    with pytest.raises(ParamsError) as caught:
        read(FILE.replace(old, new, 1))
    assert said in caught.value.what


def test_all_mistakes_are_told_together():
    wrong = FILE.replace(OLGA, DORA).replace("[ci]", "[rita]").replace("account: ann", "account: '!'")
    with pytest.raises(ParamsError, match=r"3 mistake\(s\)") as caught:
        read(wrong)
    for said in ("stands twice", "does not run the gates", "people.3.account"):
        assert said in caught.value.what


@pytest.mark.parametrize("text", ["", "3", "[]", "people: 3", "people: [3, [], {}]", "gate_runners: [{a: 1}]",
                                  "people: [{emails: [{a: 1}], key: [], office: {}, name: {a: b}}]"])  # fmt: skip
def test_what_is_no_such_file_is_one_clear_error(text: str):
    with pytest.raises(ParamsError):
        read(text)


def test_one_key_under_two_names_is_seen_however_it_is_written():
    with pytest.raises(ParamsError, match="stands twice"):
        read(FILE.replace(f"key: {OLGA}", f"key: '{DORA}   laptop'"))


# ---- the command's edits


def test_an_account_that_nobody_was_named_for_gets_its_person_and_the_comments_stay():
    made = with_person(FILE, StaffMember(name="Ann", emails=("ann@shop.example",), account="ann", key=ANN))
    assert read(made).people[3] == StaffMember(name="Ann", emails=("ann@shop.example",), account="ann", key=ANN)
    assert [line for line in FILE.splitlines() if "account: ann" not in line] == made.splitlines()[:-1]


def test_a_person_more_is_a_line_more_and_taking_it_out_leaves_the_file_as_it_was():
    made = with_person(FILE, StaffMember(name="Otto", emails=("otto@shop.example",)))
    assert made.splitlines()[:-1] == FILE.splitlines()
    assert without_person(made, "Otto@shop.example") == FILE


def test_an_edit_that_would_be_a_mistake_is_refused():
    with pytest.raises(ParamsError, match="stands twice"):
        with_person(FILE, StaffMember(name="Rita", emails=("rita@else.example",), office="data owner"))
    with pytest.raises(ParamsError, match="nobody could approve"):
        without_person(FILE, "rita")
    with pytest.raises(ParamsError, match="eve@shop"):
        without_person(FILE, "eve@shop.example")


# ---- who signed a candidate's assessment, as the registry sees it


def strangers(**who: tuple[str, str]) -> tuple[str, ...]:
    signed = {"decision": ("rita@shop.example", RITA), "dpo_advice": ("dora@shop.example", DORA),
              "residual": ("olga@shop.example", OLGA), **who}  # fmt: skip
    return strange_signers(
        {n: {"by": e, "key": fingerprint(k), "counts": True} for n, (e, k) in signed.items()}, OFFICES
    )


def test_who_decided_there_holds_the_office_here_and_signed_with_the_key_known_here():
    assert strangers() == ()
    told = "decision is signed by somebody who, by the offices file, is not the risk officer"
    assert told in strangers(decision=("ann@shop.example", ANN))[0]
    assert "is not the data protection officer" in strangers(dpo_advice=("rita@shop.example", RITA))[0]
    assert "belongs to no account" in strangers(residual=("eve@shop.example", OLGA))[0]
    assert "has another key" in strangers(decision=("rita@shop.example", ANN))[0]
    assert "has another key" in strangers(residual=("olga@shop.example", ANN))[0]
    for email, key in (("ann@shop.example", ANN), ("rita@shop.example", RITA), ("dora@shop.example", DORA)):
        assert "is not the data owner" in strangers(residual=(email, key))[0], email


def test_what_does_not_count_is_told_by_the_gate():
    assert strange_signers({"decision": {"by": "", "counts": False}}, OFFICES) == ()
    assert strange_signers(None, OFFICES) == ()
