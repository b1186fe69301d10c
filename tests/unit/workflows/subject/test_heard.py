"""What customers write to the service desk reaches the data protection officer as a case, by its declared category."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from own_world import Shop, but
from people_wrote import SERVICE, table

from twinops.adapters.rights_ledger import FollowedRights, RightsLedger
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.own_sources.people.asked_rights import kind_of
from twinops.data.own_sources.proposing import request_words
from twinops.data.own_sources.proposing.drafting import Draft, Said, draft_of
from twinops.entities.consent import Purpose
from twinops.entities.day_count import DayCount
from twinops.errors import ParamsError
from twinops.governance.subject_cases import RequestKind, Step, StepAsked, cases_of
from twinops.own_params import RequestWord
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.receipts import Receipts
from twinops.workflows.sources.in_doubt import in_doubt
from twinops.workflows.subject.casework import act_of
from twinops.workflows.subject.desk import ActingOfficer, Desk
from twinops.workflows.subject.heard import UNSUBSCRIBE, Heard, heard

ASKS = {"Usunięcie danych": "erasure", "kopia danych": "access", "sprzeciw": "objection"}
ROWS = (
    "1001;05.03.2024 08:26;;usunięcie danych ;Proszę usunąć wszystko",
    "1002;06.03.2024 09:00;;dostawa;Gdzie jest moja paczka",
    "1003;07.03.2024 09:00;08.03.2024 10:00;Kopia danych;",
)


def desk_of(root: Path, *rows: str, **said: Any) -> tuple[Shop, Desk]:
    shop = Shop(root, desk=but(SERVICE, **said))
    shop.file("service.csv").write_text(table("customer;opened;closed;topic;said", *rows), encoding="utf-8")
    shop.collect("care_cases", "all")
    ledger = RightsLedger(root / "keys", shop.keys, root, lambda: datetime(2024, 4, 20, 12, tzinfo=UTC))
    (root / "live").mkdir(exist_ok=True)
    plane = DataPlane(shop.places, DuckDBEngine(threads=1), shop.keys)
    days = DayCount(date(2017, 1, 1))
    receipts = Receipts(plane, date(2024, 4, 1), days, own=shop.params.own, rights=FollowedRights(ledger))
    return shop, Desk(receipts, ledger)


def test_a_message_in_a_declared_category_is_a_case_with_a_month_from_its_day(tmp_path: Path) -> None:
    shop, desk = desk_of(tmp_path, *ROWS, requests=ASKS)
    assert heard(desk) == Heard(opened=2)
    erasure, copy = cases_of(desk.rights.entries()).values()
    assert (erasure.kind, erasure.received, erasure.due) == (
        RequestKind.ERASURE,
        date(2024, 3, 5),
        date(2024, 4, 5),
    )
    assert erasure.sid == shop.keys.known_sid("1001")
    assert erasure.overdue(desk.today)
    assert (copy.kind, copy.sid) == (RequestKind.ACCESS, shop.keys.known_sid("1003"))


def test_it_is_one_case_however_often_the_file_comes_and_whatever_came_of_it(tmp_path: Path) -> None:
    _, desk = desk_of(tmp_path, *ROWS, requests=ASKS)
    heard(desk)
    first = next(iter(cases_of(desk.rights.entries()).values()))
    officer = ActingOfficer("dpo", "olga")
    desk.rights.append(act_of(first, StepAsked(Step.IDENTIFIED, "by her card"), officer))
    more = (ROWS[2], "1004;09.03.2024 09:00;;Sprzeciw;", *ROWS[:2])
    _, again = desk_of(tmp_path, *more, requests=ASKS)
    assert heard(again) == Heard(opened=1, known=2)
    assert heard(again) == Heard(opened=0, known=3)
    cases = cases_of(again.rights.entries())
    assert [c.kind.value for c in cases.values()] == ["erasure", "access", "objection"]
    assert cases[first.id].state is Step.IDENTIFIED


def test_without_the_declaration_no_message_is_a_case_and_no_text_is_taken_for_one(tmp_path: Path) -> None:
    _, desk = desk_of(tmp_path, *ROWS)
    assert heard(desk) == Heard()
    assert desk.rights.entries() == ()


def test_texts_that_look_like_a_request_are_pointed_at_by_place_and_nothing_of_them_is_told(tmp_path: Path) -> None:
    rows = (*ROWS, "1005;09.03.2024 09:00;;dostawa;Please delete my account and all my data, Jan Kowalski")
    shop, _ = desk_of(tmp_path, *rows, requests=ASKS)
    (told,) = in_doubt(shop.places, shop.params)
    assert told.startswith("Messages of own.desk whose words look like a request")
    assert "opens no case: 1." in told
    assert "lines 5 of service.csv" in told
    assert "Kowalski" not in told


def test_a_category_that_asks_for_what_nobody_may_ask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="requests"):
        desk_of(tmp_path, *ROWS, requests={"dostawa": "refund"})


def test_words_for_requests_are_those_of_the_cases_and_who_unsubscribes_objects_to_offers() -> None:
    assert set(get_args(RequestWord)) == {k.value for k in RequestKind} | {UNSUBSCRIBE}


def test_a_message_that_unsubscribes_stops_offers_and_one_that_objects_stops_every_use_until_it_is_decided(
    tmp_path: Path,
) -> None:
    rows = ("1001;05.03.2024 08:26;;Afmelden;", "1002;06.03.2024 09:00;;Bezwaar;", "1003;07.03.2024 09:00;;Kopie;")
    asks = {"Afmelden": "unsubscribe", "Bezwaar": "objection", "Kopie": "access"}
    shop, desk = desk_of(tmp_path, *rows, requests=asks)
    heard(desk)
    sids = [str(shop.keys.known_sid(n)) for n in ("1001", "1002", "1003")]
    out = {p.value: [sid in desk.receipts.stopped(p.value) for sid in sids] for p in Purpose}
    assert out["offers"] == [True, True, False]
    assert out["twin_training"] == out["twin_scoring"] == [False, True, False]


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("Datenlöschung", "erasure"), ("Suppression de compte", "erasure"), ("Výmaz údajů", "erasure"),
        ("Werbewiderspruch", "unsubscribe"), ("Námitka", "objection"), ("Désabonnement", "unsubscribe"),
        ("Leiratkozás", "unsubscribe"), ("Afmelden", "unsubscribe"), ("Bezwaar", "objection"), ("Adatkérés", "access"),
        ("Haláleset", "restriction"), ("Overlijden", "restriction"), ("Klubtagság lemondása", None),
        ("Tiltakozás profilalkotás ellen", "objection"), ("Vitaminebox opzeggen", None), ("Adreswijziging", None),
        ("Datenauskunft (Art. 15)", "access"), ("Cópia dos meus dados", "access"), ("Registerutdrag", "access"),
        ("Portabilidad de datos", "portability"), ("Lieferung", None), ("Rückgabe", None), ("Kod rabatowy", None),
        ("Store access", None), ("Returns", None), ("loyalty", None), ("Konto", None),
    ],
)  # fmt: skip
def test_categories_that_speak_of_a_right_are_known_in_many_languages(category: str, kind: str | None) -> None:
    assert kind_of(category) == kind


def proposed(root: Path, *categories: str, **codes: str) -> tuple[Draft, dict[str, Any]]:
    path = root / "service.csv"
    path.write_text(table("topic;said", *(f"{c};delete my data" for c in categories)), encoding="utf-8")
    draft = draft_of("service", path)
    draft.take("category", "topic", "")
    return draft, request_words.proposed(draft, Said(codes={f"service.requests:{w}": k for w, k in codes.items()}))


def test_categories_are_proposed_by_their_words_and_by_what_a_person_says(tmp_path: Path) -> None:
    draft, found = proposed(tmp_path, "Datenlöschung", "Lieferung", "Sonstiges", Sonstiges="access")
    assert found == {"requests": {"Datenlöschung": "erasure", "Sonstiges": "access"}}
    assert any("requests: erasure" in str(c) for c in draft.choices)


def test_where_no_category_is_known_to_ask_it_is_said_how_to_say_it_and_texts_decide_nothing(tmp_path: Path) -> None:
    draft, found = proposed(tmp_path, "Lieferung", "Sonstiges")
    assert found == {}
    assert "--code service.requests:WORD=erasure" in draft.notes[0]
