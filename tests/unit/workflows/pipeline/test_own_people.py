"""People of one's own are found again by whatever fields are there, or need not be; and nobody who said no."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from own_world import CONSENT, LEGAL, PROFILES, TWIN, Shop, but
from people_wrote import COMMENTS, SERVICE, comments, declared, table
from supplying import supplied

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.consent import ages
from twinops.data.own_sources.people.assessed import columns_held
from twinops.data.vault.seal import read_sealed
from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.day_count import DayCount
from twinops.evaluation.fairness import groups as fairness_groups
from twinops.evaluation.tastes.social import reading
from twinops.params import AgesParams
from twinops.workflows.beside_records import bases_of_records
from twinops.workflows.declared_words import DeclaredWords
from twinops.workflows.pipeline.blend import _by_customer
from twinops.workflows.pipeline.lawful import lawful
from twinops.workflows.pipeline.link import _named_by, keyed, link
from twinops.workflows.pipeline.sentiment import unread
from twinops.workflows.pipeline.tastes import made_up
from twinops.workflows.receipts import births

AS_OF = date(2024, 12, 1)
NO_INTERESTS = 'version: "1"\nassessments: []\n'
REGISTERED = declared(
    "registrations",
    {"household_id": "id", "email": "mail", "handle": "nick", "time": "at"},
    path="people.csv",
    separator=";",
)
ACCOUNTS = declared("accounts", {"account": "who", "email": "who", "time": "at"}, path="comments.csv", separator=";")


def people(n: int, *, nick: bool = False) -> str:
    rows = (
        f"{1_000 + i};{'' if nick else f'c{i}@mail.example'};{f'nick{i}' if nick else ''};05.01.2024 08:00"
        for i in range(n)
    )
    return table("id;mail;nick;at", *rows)


def written_by(n: int, *, nick: bool = False) -> str:
    who = (f"nick{i}" if nick else f"c{i}@mail.example" for i in range(0, n, 2))
    return comments(
        *(f"{w};05.03.2024 08:26;The service is great;1" for w in who), "stranger@else.example;05.03.2024 08:26;ok;0"
    )


def asked(shop: Shop, workflow: Any, **more: Any) -> Any:
    shop.places.compliance.mkdir(exist_ok=True)
    (shop.places.compliance / "interests.yaml").write_text(NO_INTERESTS, encoding="utf-8")
    words = DeclaredWords(shop.params.own)
    return supplied(
        workflow, shop.places, engine=DuckDBEngine(threads=1), keys=shop.keys, as_of=AS_OF, words=words, **more
    )


@pytest.mark.parametrize("nick", [False, True])
def test_accounts_are_found_by_the_one_field_there_is(tmp_path: Path, nick: bool) -> None:
    columns = {"account": "who", "time": "at"}
    legal = ACCOUNTS["legal"] | {"purposes": dict.fromkeys(columns, TWIN)}
    said = but(ACCOUNTS, columns=columns, legal=legal) if nick else ACCOUNTS
    shop = Shop(tmp_path, registrations=REGISTERED, accounts=said, comments=COMMENTS)
    shop.file("people.csv").write_text(people(300, nick=nick), encoding="utf-8")
    shop.file("comments.csv").write_text(written_by(300, nick=nick), encoding="utf-8")
    for source in ("registrations", "social_accounts", "social_comments"):
        shop.collect(source, "all")
    assert asked(shop, lawful).allowed["social_accounts"] == 151
    assert asked(shop, link, rules=shop.params.link).links == 150
    links = read_sealed(shop.places.links, dataset="links", keys=shop.keys).to_pylist()
    handles = {f"@nick{i}" if nick else f"c{i}@mail.example": f"{1_000 + i}" for i in range(0, 300, 2)}
    right = dict(zip(shop.keys.subject_ids(list(handles)), shop.keys.subject_ids(list(handles.values())), strict=True))
    assert all(right[row["record"]] == row["sid"] for row in links)


def test_a_handle_that_two_wrote_is_nobody_s(tmp_path: Path) -> None:
    home = pa.table({"sid": ["a", "b", "c"], "handle": ["@Anna", "anna", "bert"]})
    accounts = pa.table({"handle": ["anna", "bert@social.example", None, "carl"]})
    assert _named_by(home, accounts) == [None, "c", None, None]


def ledger(*rows: tuple[str, str]) -> str:
    out = ["id,what,at", *(f"{who},{what},2024-03-01" for who, what in rows)]
    return "\n".join([*out, ""])


@pytest.mark.parametrize(
    ("basis", "rows", "allowed"),
    [
        ("consent", (("1", "yes"), ("2", "no")), 1),
        ("contract", (("1", "yes"), ("2", "no")), 3),
        ("legitimate_interest", (("1", "yes"),), 0),
    ],
)
def test_cases_that_name_the_customer_follow_the_customer_s_ledger(
    tmp_path: Path, basis: str, rows: tuple[tuple[str, str], ...], allowed: int
) -> None:
    legal = SERVICE["legal"] | {"bases": dict.fromkeys(TWIN, basis)}
    shop = Shop(tmp_path, service=but(SERVICE, legal=legal), consent=CONSENT)
    cases = (f"{n};05.02.2024 08:00;;delivery;Where is my parcel?" for n in range(1, 5))
    shop.file("service.csv").write_text(table("customer;opened;closed;topic;said", *cases), encoding="utf-8")
    shop.file("consent.csv").write_text(ledger(*rows), encoding="utf-8")
    shop.collect("care_cases", "all")
    shop.collect("consent", "all")
    assert asked(shop, lawful).allowed["care_cases"] == allowed


def test_an_objection_of_an_account_holds_by_its_handle(tmp_path: Path) -> None:
    stop = declared("optouts", {"household_id": "who"}, path="stop.csv", time=None)
    shop = Shop(tmp_path, accounts=ACCOUNTS, stop=but(stop, legal=LEGAL | {"purposes": {"household_id": TWIN}}))
    shop.file("comments.csv").write_text(
        comments("anna;05.03.2024 08:26;ok;1", "bert;05.03.2024 08:26;ok;1"), encoding="utf-8"
    )
    with shop.file("stop.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["who"], ["@anna"]])
    shop.collect("social_accounts", "all")
    shop.collect("consent", "all")
    assert asked(shop, lawful).allowed["social_accounts"] == 1


def test_a_source_that_names_customers_needs_no_link_and_says_so(tmp_path: Path) -> None:
    shop = Shop(tmp_path, service=SERVICE, comments=COMMENTS)
    own = shop.params.own
    assert keyed(own).value == ["care_cases"]
    held = {name: pa.table({"sid": ["a", "z"]}) for name in ("social_posts", "social_comments", "care_cases")}
    found = list(_by_customer(held, pa.table({"sid": ["a", "b"]}), own))
    assert [t.to_pylist() for t in found] == [[{"sid": "a", "source": "care_cases", "record": "a", "probability": 1.0}]]


def test_what_a_source_is_not_declared_for_only_a_no_narrows(tmp_path: Path) -> None:
    bases = bases_of_records(Shop(tmp_path, accounts=ACCOUNTS).params.own)
    assert bases is not None
    assert bases["social_accounts"][Purpose.OFFERS] is LegalBasis.CONTRACT
    assert bases_of_records(type(Shop(tmp_path / "none").params.own)({})) is None


def test_synthetic_or_not_is_read_from_the_declarations(tmp_path: Path) -> None:
    real = but(COMMENTS, legal=COMMENTS["legal"] | {"synthetic": False})
    assert made_up(Shop(tmp_path / "a", comments=COMMENTS).params.own)
    assert not made_up(Shop(tmp_path / "b", comments=real).params.own)
    assert "synthetic" in reading(synthetic=True)
    assert "synthetic" not in reading(synthetic=False)


def test_a_language_that_is_not_read_is_said_to_be_not_applicable(tmp_path: Path) -> None:
    german = unread(Shop(tmp_path, comments=but(COMMENTS, language="de"), service=SERVICE).params.own)
    assert list(german.value) == ["social_comments"]
    assert "not applicable: declared as de" in german.value["social_comments"]


def test_birthdays_of_a_customer_file_leave_minors_out_whatever_the_file_serves(tmp_path: Path) -> None:
    columns = {"household_id": "id", "birth_year": "born", "gender": "sex"}
    legal = LEGAL | {"purposes": dict.fromkeys(columns, ("bias_assessment",))}
    shop = Shop(tmp_path, people=but(PROFILES, columns=columns, codes=None, ages_in=2024, legal=legal))
    rows = ("1,04.05.2010,w", "2,1980-05-04,m", "3,2006,w", "4,,m")
    shop.file("people.csv").write_text("\n".join(["id,born,sex", *rows, ""]), encoding="utf-8")
    shop.collect("demographics", "all")
    asked(shop, link, rules=shop.params.link)
    engine, days = DuckDBEngine(threads=1), DayCount(AS_OF)
    sids = dict(zip("1234", shop.keys.subject_ids(list("1234")), strict=True))
    every = {"sid": sorted(sids.values()), "day": [0] * 4, "purpose": ["offers"] * 4, "allowed": [True] * 4}
    allowed = pa.table(every | {"reason": pa.nulls(4, pa.string())})
    asked_of = ages.FullAge(AgesParams(adult_years=18, unknown="admitted"), days)
    born = births(shop.places, shop.keys)
    held = read_sealed(shop.places.raw("demographics", "all"), dataset="demographics", keys=shop.keys)
    assert columns_held(shop.params.own) == ("age", "gender")
    assert set(fairness_groups.held(held)) == {"age", "gender"}
    said = {r["sid"]: r["reason"] for r in ages.of_age(engine, allowed, born, asked_of).to_pylist()}
    # a bare year counts to its end: in doubt somebody is younger
    assert {who for who in "1234" if said[sids[who]] == "under_age"} == {"1", "3"}
