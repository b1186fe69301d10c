"""Lists of a mailing tool have addresses where the till has numbers: whose they are, another file says."""

from __future__ import annotations

import csv
import json
from hashlib import md5
from pathlib import Path
from typing import Any

import proposed_sales
import pytest
from own_world import LEGAL
from pydantic import ValidationError

from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.proposing.proposal import ShopFiles, look
from twinops.data.own_sources.reading import read
from twinops.own_params import OwnParams

PEOPLE = [
    ("K1", "Anna@Mail.example"),
    ("K2", "bert@mail.example; b.work@firm.example"),
    ("K3", "family@mail.example"),
    ("K4", "Family@mail.example"),
    ("K5", ""),
    ("K6", "n/a"),
    ("K7", "n/a"),
]


def written(path: Path, head: list[str], rows: list[tuple[str, ...]]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return str(path)


def shop(root: Path, listed: dict[str, Any]) -> OwnParams:
    """Customers with their addresses, which enter for no purpose of their own, and a list that names them by these."""
    people = {
        "kind": "profiles", "reads": "csv", "path": written(root / "crm.csv", ["No", "E-mail"], PEOPLE),
        "columns": {"household_id": "No"}, "ages_in": None,
        "legal": LEGAL | {"purposes": {"household_id": ["bias_assessment"]}},
    }  # fmt: skip
    purposes = {c: ["offers"] for c in listed["columns"]}
    body = {"reads": "csv", "known_by": {"customers": "E-mail"}, "legal": LEGAL | {"purposes": purposes}} | listed
    return OwnParams.model_validate_json(json.dumps({"customers": people, "listed": body}, default=str))


def unsubscribed(root: Path, *addresses: str) -> dict[str, Any]:
    rows = [(a,) for a in addresses]
    return {
        "kind": "optouts", "path": written(root / "out.csv", ["Address"], rows), "columns": {"household_id": "Address"},
        "constants": {"purpose": "offers"},
    }  # fmt: skip


def who(own: OwnParams, root: Path) -> list[str]:
    found = read(declared(own, "listed", root=root, max_rows=1_000), WHOLE)
    return sorted(found.rows["household_id"].to_pylist())


@pytest.mark.parametrize(
    ("address", "numbers"),
    [
        ("anna@mail.example", ["K1"]),
        (" Anna Ex <ANNA@mail.example>", ["K1"]),
        ("mailto:anna@mail.example", ["K1"]),
        ("b.work@firm.example", ["K2"]),
        ("FAMILY@mail.example", ["K3", "K4"]),
        (md5(b"anna@mail.example").hexdigest(), ["K1"]),  # noqa: S324 - as mailing tools write it
        ("Nobody@mail.example", ["nobody@mail.example"]),
        ("K-1", ["K-1"]),
    ],
)
def test_an_objection_by_an_address_is_one_of_each_customer_who_has_it(
    address: str, numbers: list[str], tmp_path: Path
) -> None:
    assert who(shop(tmp_path, unsubscribed(tmp_path, address)), tmp_path) == numbers


def consents(root: Path, rows: list[tuple[str, ...]], **more: Any) -> dict[str, Any]:
    head = ["Address", "Offers", "Day"]
    return {
        "kind": "consent", "path": written(root / "in.csv", head, rows), "time": {"format": "iso", "zone": "UTC"},
        "columns": {"household_id": "Address", "time": "Day"}, **more,
    }  # fmt: skip


def test_a_yes_by_an_address_of_two_customers_is_nobodys_and_a_no_is_both_customers(tmp_path: Path) -> None:
    rows = [
        ("family@mail.example", "yes", "2025-01-01"),
        ("anna@mail.example", "yes", "2025-01-01"),
        ("family@mail.example", "no", "2025-02-01"),
    ]
    own = shop(tmp_path, consents(tmp_path, rows, answers={"offers": "Offers"}))
    found = read(declared(own, "listed", root=tmp_path, max_rows=1_000), WHOLE)
    told = {(r["household_id"], r["event"]) for r in found.rows.to_pylist()}
    assert told == {("K1", "granted"), ("K3", "refused"), ("K4", "refused")}
    assert found.lost["yes_by_an_address_of_several_customers"] == 1


def test_a_source_that_is_not_there_or_goes_by_addresses_itself_says_nobodys_number(tmp_path: Path) -> None:
    listed = unsubscribed(tmp_path, "a@b.example") | {"known_by": {"nobody": "E-mail"}}
    with pytest.raises(ValidationError, match="nobody is no source with a column of customer numbers"):
        shop(tmp_path, listed)
    with pytest.raises(ValidationError, match="known_by: household_id is their column of addresses"):
        shop(tmp_path, unsubscribed(tmp_path, "a@b.example") | {"digits": [4]})


def test_it_is_proposed_where_a_list_has_addresses_and_the_customers_have_them_too(tmp_path: Path) -> None:
    rows = [
        {
            "Receipt": f"R{n}",
            "Customer": f"K{n % 40:04}",
            "Day": f"2025-0{1 + n // 28}-{1 + n % 28:02}",
            "Amount": "5.50",
        }
        for n in range(200)
    ]
    people = [{"Customer": f"K{n:04}", "E-mail": f"c{n}@mail.example", "Gender": "fm"[n % 2]} for n in range(40)]
    listed = [{"Email Address": f"C{n}@Mail.example"} for n in range(30, 45)]
    asked = [{"mail": f"c{n}@mail.example", "offers": "yes", "day": "2025-01-01"} for n in range(20)]
    messages = [
        {"from": f"c{n}@mail.example", "created": "2025-03-01 10:00", "category": "Delivery", "text": "Where is it?"}
        for n in range(20)
    ]
    files = ShopFiles(
        proposed_sales.written(tmp_path / "sales.csv", rows),
        proposed_sales.written(tmp_path / "people.csv", people),
        proposed_sales.written(tmp_path / "yes.csv", asked),
        proposed_sales.written(tmp_path / "no.csv", listed),
        more=(f"service={proposed_sales.written(tmp_path / 'tickets.csv', messages)}",),
    )
    found = look(files, proposed_sales.SAID)
    by = {name: body.get("known_by") for name, body in found.own.items()}
    address = {"customers": "E-mail"}
    assert by == {"sales": None, "customers": None, "optins": address, "optouts": address, "service": address}
    own = OwnParams.model_validate_json(json.dumps(found.own, default=str))
    out = read(declared(own, "optouts", root=tmp_path, max_rows=1_000), WHOLE).rows
    assert {w for w in out["household_id"].to_pylist() if w.startswith("K")} == {f"K{n:04}" for n in range(30, 40)}


def test_of_a_mailing_list_every_state_but_an_active_one_is_an_objection(tmp_path: Path) -> None:
    days = [f"2025-0{1 + n // 28}-{1 + n % 28:02}" for n in range(200)]
    rows = [{"Receipt": f"R{n}", "Customer": f"K{n % 40:04}", "Day": d, "Amount": "5.50"} for n, d in enumerate(days)]
    people = [{"Customer": f"K{n:04}", "E-mail": f"c{n}@mail.example", "Gender": "fm"[n % 2]} for n in range(40)]
    states = ("actief", "afgemeld", "bounce", "niet bevestigd")
    mailed = [{"email": f"c{n}@mail.example", "status": states[n % 4]} for n in range(40)]
    blocked = proposed_sales.written(tmp_path / "blocked.csv", [{"Customer": f"K{n:04}"} for n in range(3)])
    listed = proposed_sales.written(tmp_path / "laposta.csv", mailed)
    files = ShopFiles(
        proposed_sales.written(tmp_path / "sales.csv", rows),
        proposed_sales.written(tmp_path / "people.csv", people),
        opt_outs=blocked,
        more=(f"optouts={listed}",),
    )
    found = look(files, proposed_sales.SAID)
    assert found.own["optouts_2"]["holding"] == {"status": ["afgemeld", "bounce", "niet bevestigd"]}
    own = OwnParams.model_validate_json(json.dumps(found.own, default=str))
    out = read(declared(own, "optouts_2", root=tmp_path, max_rows=1_000), WHOLE).rows
    assert set(out["household_id"].to_pylist()) == {f"K{n:04}" for n in range(40) if n % 4}
    assert set(out["purpose"].to_pylist()) == {"offers"}, "who ended a newsletter said nothing of anything else"
    assert {c.source for c in found.choices} >= {"optouts", "optouts_2"}


@pytest.mark.parametrize("told", [True, False])
def test_who_left_a_newsletter_is_out_from_the_day_of_leaving_and_not_of_signing_up(tmp_path: Path, told: bool) -> None:
    days = [f"2025-0{1 + n // 28}-{1 + n % 28:02}" for n in range(200)]
    rows = [{"Receipt": f"R{n}", "Customer": f"K{n % 40:04}", "Day": d, "Amount": "5.50"} for n, d in enumerate(days)]
    people = [{"Customer": f"K{n:04}", "E-mail": f"c{n}@mail.example", "Gender": "fm"[n % 2]} for n in range(40)]
    mailed = [
        {"email": f"c{n}@mail.example", "status": "Afmeldt" if n % 4 else "Aktiv", "Tilmeldt": "2024-05-01"}
        | ({"Afmeldt": "2025-06-27" if n % 4 else ""} if told else {})
        for n in range(40)
    ]
    files = ShopFiles(
        proposed_sales.written(tmp_path / "sales.csv", rows),
        proposed_sales.written(tmp_path / "people.csv", people),
        opt_outs=proposed_sales.written(tmp_path / "nyhedsbrev.csv", mailed),
    )
    found = look(files, proposed_sales.SAID)
    assert found.own["optouts"]["columns"].get("time") == ("Afmeldt" if told else None)
    assert any("the day of their no is unknown" in note for note in found.notes) is not told
    own = OwnParams.model_validate_json(json.dumps(found.own, default=str))
    out = read(declared(own, "optouts", root=tmp_path, max_rows=1_000), WHOLE).rows
    assert {t.year for t in out["time"].to_pylist()} == {2025 if told else 1900}


def test_what_people_were_asked_is_no_answer_to_all_of_ours(tmp_path: Path) -> None:
    days = [f"2025-0{1 + n // 28}-{1 + n % 28:02}" for n in range(200)]
    rows = [{"Receipt": f"R{n}", "Customer": f"K{n % 40:04}", "Day": d, "Amount": "5.50"} for n, d in enumerate(days)]
    asked = ["May we send you offers by e-mail?", "Shall we tell you when your recipe is ready?"]
    answers = [
        {"Customer": f"K{n:04}", "Day": "2025-01-01", "Question": q, "Answer": "yes" if (n + k) % 2 else "no"}
        for n in range(40)
        for k, q in enumerate(asked)
    ]
    files = ShopFiles(
        proposed_sales.written(tmp_path / "sales.csv", rows),
        opt_ins=proposed_sales.written(tmp_path / "yes.csv", answers),
    )
    found = look(files, proposed_sales.SAID)
    assert found.own["optins"]["columns"]["purpose"] == "Question"
    assert "answers" not in found.own["optins"]


def test_where_no_number_stands_the_address_beside_it_tells_whose_it_is(tmp_path: Path) -> None:
    days = [f"2025-0{1 + n // 28}-{1 + n % 28:02}" for n in range(200)]
    rows = [{"Receipt": f"R{n}", "Customer": f"{n % 40:05}", "Day": d, "Amount": "5.50"} for n, d in enumerate(days)]
    people = [{"Customer": f"{n:05}", "E-mail": f"c{n}@mail.example", "Gender": "fm"[n % 2]} for n in range(40)]
    messages = [
        {
            "number": f"{n:05}" if n % 2 else "",
            "from": f"c{n}@mail.example",
            "created": "2025-03-01 10:00",
            "category": "Unsubscribe",
            "text": "No more mail, please.",
        }
        for n in range(20)
    ]
    files = ShopFiles(
        proposed_sales.written(tmp_path / "sales.csv", rows),
        proposed_sales.written(tmp_path / "people.csv", people),
        more=(f"service={proposed_sales.written(tmp_path / 'tickets.csv', messages)}",),
    )
    found = look(files, proposed_sales.SAID)
    assert found.own["service"]["columns"]["household_id"] == "number"
    assert found.own["service"]["addresses"] == "from"
    own = OwnParams.model_validate_json(json.dumps(found.own, default=str))
    heard = read(declared(own, "service", root=tmp_path, max_rows=1_000), WHOLE).rows
    assert sorted(heard["household_id"].to_pylist()) == [f"{n:05}" for n in range(20)]
