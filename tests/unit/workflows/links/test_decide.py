"""A person decides who is who: binding, refused where it cannot hold, and undone for both without a word lost."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pyarrow as pa
import pytest
from living_world import natural
from rights_world import CARD, MERGED, NOON, OTHER, RightsWorld, rights_world, seal

from twinops.adapters.person_register import LedgerOfPersons
from twinops.data.linkage.intake import HOME
from twinops.data.linkage.outcome import nothing_linked
from twinops.data.linkage.registered import founding
from twinops.entities.persons import record_name
from twinops.entities.rights import FOLLOWED, Right
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.workflows.links.decide import PairAsked, decide
from twinops.workflows.links.explain import explain
from twinops.workflows.links.history import history
from twinops.workflows.links.listed import listed
from twinops.workflows.links.pairs import Linkage
from twinops.workflows.links.settle import settle
from twinops.workflows.twin.predict import predict

SECOND = "C00000009"
"""A profile of the CRM that may be OTHER's; it was not linked."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> RightsWorld:
    world = rights_world(tmp_path_factory.mktemp("links"))
    profiles = {"crm_id": [CARD, SECOND], **{c: ["a", "b"] for c in ("card", "given", "surname", "email", "phone")}}
    profiles |= {c: ["a", "b"] for c in ("street", "postcode", "city")} | {
        "born": ["1980-05-17"] * 2,
        "updated": [1, 2],
    }
    seal(world.places.raw("crm", "all"), pa.table(profiles), world.keys, dataset="crm", subject="crm_id")
    return world


@pytest.fixture
def world(built: RightsWorld) -> RightsWorld:
    """MERGED's household and CARD are linked, OTHER's and SECOND wait for a person; an empty ledger."""
    shutil.rmtree(built.places.root / "keystore", ignore_errors=True)
    for name in FOLLOWED:
        (built.places.root / name).unlink(missing_ok=True)
    built.clock[0] = NOON
    link(built, together=True)
    return built


def link(world: RightsWorld, *, together: bool) -> None:
    """What the stage would write: the household and the profile as one person, or as two."""
    home, card, other, second = (world.sid(n) for n in (MERGED, CARD, OTHER, SECOND))
    rows = [(HOME, home, home), ("crm", card, home if together else card), (HOME, other, other)]
    rows.append(("crm", second, second))
    name = founding(world.keys)
    owner = {home: (HOME, home), card: ("crm", card), other: (HOME, other), second: ("crm", second)}
    table = {
        "sid": [sid for _, sid, _ in rows], "source": [source for source, *_ in rows],
        "person": [name(record_name(*owner[of]), 0) for *_, of in rows],         "fingerprint": ["same"] * 4,
    }  # fmt: skip
    seal(world.places.persons, pa.table(table), world.keys, dataset="persons", subject="sid")
    links, review = nothing_linked()
    levels = dict.fromkeys((f.name for f in links.schema if f.name.endswith("_level")), 0)
    tie = {"tie": f"crm/{HOME}", "match_weight": 9.0, "probability": 0.999, **levels}
    row = {"sid": home, "source": "crm", "record": card, "cluster": 0, **tie}
    doubt = {"sid": other, "source": HOME, "other": second, "other_source": "crm", "doubt": "probable_but_not_sure"}
    found = pa.Table.from_pylist([row] if together else [], schema=links.schema)
    seal(world.places.links, found, world.keys, dataset="links", subject="sid")
    waits = pa.Table.from_pylist([{**doubt, **tie, "probability": 0.7}], schema=review.schema)
    seal(world.places.review, waits, world.keys, dataset="review", subject="sid")


def say(world: RightsWorld, says: str, one: str, other: str = "", *, by: str = "dpo", **more: str):
    asked = PairAsked(one, other, says, more.pop("reason", "they wrote to us"), **more)
    return decide(asked, by=by, desk=world.desk, persons=LedgerOfPersons(world.ledger))


def reasons(world: RightsWorld, number: int | str, purpose: str) -> str | None:
    sid = world.sid(number)
    event = world.desk.standing().get(sid)
    return None if event is None or event.event(purpose) is None else event.event(purpose).value


def test_pairs_are_listed_by_codes_and_nobody_is_named(world):
    waiting, joined = (listed(which, desk=world.desk) for which in ("review", "joined"))
    assert (waiting.all, joined.all) == (1, 1)
    text = waiting.text() + joined.text()
    assert "probable but not sure" in text
    assert not any(world.sid(n) in text for n in (MERGED, CARD, OTHER, SECOND))
    assert not any(name in text for name in (natural(MERGED), natural(OTHER), CARD, SECOND))


def test_a_decision_stands_in_the_file_of_both_and_the_project_follows(world):
    code = listed("review", desk=world.desk).pairs[0].code
    before = world.places.root / "persons.json"
    done = say(world, "join", code, reason="both passports shown")
    assert (done.written, done.refused) == (2, "")
    assert '"entries":2' in before.read_text(encoding="utf-8")
    assert {e.sid for e in world.ledger.entries()} == {world.sid(OTHER), world.sid(SECOND)}
    assert [world.ledger.told(e)["reason"] for e in world.ledger.entries()] == ["both passports shown"] * 2
    assert b"passports" not in (world.places.root / "keystore" / "keys.db").read_bytes()
    assert listed("review", desk=world.desk).all == 0
    assert say(world, "join", natural(OTHER), SECOND).written == 0
    assert "one person" in explain(natural(OTHER), SECOND, desk=unweighed(world)).decided


def test_what_was_decided_is_listed_and_taken_back_by_its_code_alone(world):
    code = listed("review", desk=world.desk).pairs[0].code
    say(world, "part", code)
    (shown,) = listed("decided", desk=world.desk).pairs
    assert (shown.code, shown.probability) == (code, 0.7)
    assert "two persons" in explain(code, "", desk=world.desk).decided
    assert say(world, "reopen", code).written == 2
    assert listed("decided", desk=world.desk).all == 0
    assert listed("review", desk=world.desk).pairs[0].code == code


def unweighed(world: RightsWorld):
    """A desk without a tie to explain: what was decided is told all the same."""
    review = nothing_linked()[1]
    seal(world.places.review, review, world.keys, dataset="review", subject="sid")
    return world.desk


def test_two_decisions_that_cannot_both_hold_are_refused_until_one_is_taken_back(world):
    say(world, "part", natural(MERGED), CARD)
    refused = say(world, "join", natural(MERGED), CARD)
    assert refused.written == 0
    assert "both cannot hold" in refused.refused
    say(world, "join", natural(OTHER), SECOND)
    say(world, "join", CARD, SECOND)
    assert "both cannot hold" in say(world, "join", natural(MERGED), natural(OTHER)).refused
    assert "both cannot hold" in say(world, "part", CARD, natural(OTHER)).refused
    say(world, "reopen", natural(MERGED), CARD)
    assert "two registrations" in say(world, "join", natural(MERGED), CARD).refused
    say(world, "reopen", CARD, SECOND)
    assert say(world, "join", natural(MERGED), CARD).written == 2


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"one": natural(MERGED), "other": CARD, "reason": " "}, ParamsError),
        ({"one": "0123456789"}, DataError),
        ({"one": natural(MERGED), "other": "nobody"}, DataError),
        ({"one": natural(MERGED), "other": CARD, "said_by": natural(OTHER)}, ParamsError),
    ],
)
def test_what_cannot_be_decided_is_told_and_nothing_is_written(world, asked, error):
    with pytest.raises(error):
        say(world, "part", **asked)
    assert world.ledger.entries() == ()


def test_an_account_is_found_by_its_number_as_the_shops_file_has_it(world):
    sid, home = world.keys.subject_ids(["@w00458", natural(MERGED)])
    table = {"sid": [sid, home], "source": ["social_accounts", HOME], "person": ["p1", "p2"], "fingerprint": ["x", "y"]}
    seal(world.places.persons, pa.table(table), world.keys, dataset="persons", subject="sid")
    assert Linkage(world.desk).record("social_accounts:W00458") == record_name("social_accounts", sid)
    assert Linkage(world.desk).record(f"{HOME}:{natural(MERGED)}") == record_name(HOME, home)
    # whom the last linkage left out, for they object, is held and can be named with the source
    assert Linkage(world.desk).record(f"crm:{SECOND}") == record_name("crm", world.sid(SECOND))
    for who in ("W00458", f"{HOME}:W00458"):  # a customer's number is never taken for an account's
        with pytest.raises(DataError, match="No such pair") as told:
            Linkage(world.desk).record(who)
        assert "social_accounts:C17" in str(told.value)


def test_only_the_offices_that_may_decide(world):
    assert "data owner" in say(world, "part", natural(MERGED), CARD, by="nobody").refused
    assert "data owner" in settle(by="nobody", desk=world.desk, persons=LedgerOfPersons(world.ledger)).refused
    assert world.ledger.entries() == ()


def spoken_while_one(world: RightsWorld) -> None:
    world.take(MERGED, "object", purpose="offers")
    world.take(MERGED, "consent", purpose="bias_assessment", notice="3", proof="form 7")
    for who in (MERGED, CARD):
        assert (reasons(world, who, "offers"), reasons(world, who, "bias_assessment")) == ("objected", "granted")


def test_parted_both_keep_every_refusal_and_no_consent_that_was_told_while_they_were_one(world):
    spoken_while_one(world)
    done = say(world, "part", natural(MERGED), CARD)
    assert "kept for both" in done.text()
    for who in (MERGED, CARD):
        assert (reasons(world, who, "offers"), reasons(world, who, "bias_assessment")) == ("objected", None)


@pytest.mark.parametrize(("speaker", "other"), [(MERGED, CARD), (CARD, MERGED)])
def test_a_person_may_say_who_of_the_two_spoke(world, speaker, other):
    spoken_while_one(world)
    said_by = natural(speaker) if isinstance(speaker, int) else speaker
    say(world, "part", natural(MERGED), CARD, said_by=said_by)
    assert (reasons(world, speaker, "offers"), reasons(world, speaker, "bias_assessment")) == ("objected", "granted")
    assert (reasons(world, other, "offers"), reasons(world, other, "bias_assessment")) == (None, None)


def test_what_each_said_for_themselves_before_stays_theirs(world):
    link(world, together=False)
    world.take(CARD, "withdraw", purpose="twin_training")
    link(world, together=True)
    world.take(MERGED, "object", purpose="offers")
    say(world, "part", natural(MERGED), CARD, said_by=natural(MERGED))
    assert (reasons(world, CARD, "twin_training"), reasons(world, CARD, "offers")) == ("withdrawn", None)
    assert (reasons(world, MERGED, "twin_training"), reasons(world, MERGED, "offers")) == (None, "objected")


def test_from_the_decision_on_a_word_reaches_one_of_the_two_alone(world):
    spoken_while_one(world)
    say(world, "part", natural(MERGED), CARD, said_by=natural(MERGED))
    world.take(MERGED, "restrict", ground="a")
    assert reasons(world, MERGED, "twin_scoring") == "restricted"
    assert reasons(world, CARD, "twin_scoring") is None


def test_a_wrong_merge_undone_leaves_the_twin_as_if_it_had_never_been(world):
    def twin() -> tuple[object, ...]:
        consumer = world.opener.consumer(natural(MERGED))
        told = predict(natural(MERGED), "twin_scoring", opener=world.opener)
        return dict(consumer.answers), consumer.state.at(consumer.day), told

    link(world, together=False)
    never = twin()
    link(world, together=True)
    world.take(MERGED, "object", purpose="offers", reason="a call")
    assert twin() != never
    say(world, "part", natural(MERGED), CARD, said_by=CARD)
    link(world, together=False)
    assert twin() == never


def test_settling_twice_tells_nothing_new_and_what_is_stale_is_refused(world):
    persons = LedgerOfPersons(world.ledger)
    first = settle(by="dpo", desk=world.desk, persons=persons)
    assert [(h.change, h.cause, h.records) for h in first.happened] == [("joined", "new_record", 2)]
    assert settle(by="dpo", desk=world.desk, persons=persons).happened == ()
    say(world, "part", natural(MERGED), CARD)
    with pytest.raises(DataError, match="settled or decided since"):
        settle(by="dpo", desk=world.desk, persons=persons)
    link(world, together=False)
    after = settle(by="dpo", desk=world.desk, persons=persons)
    assert [(h.change, h.cause, h.records) for h in after.happened] == [("split", "decision", 1)]
    assert [len(s.happened) for s in history(persons=persons)] == [1, 1]


def test_a_register_that_was_changed_or_is_not_the_project_s_is_refused(world):
    persons = LedgerOfPersons(world.ledger)
    settle(by="dpo", desk=world.desk, persons=persons)
    kept = (world.places.root / "persons.json").read_text(encoding="utf-8")
    (world.places.root / "persons.json").write_text('{"entries":0,"head":""}\n', encoding="utf-8")
    with pytest.raises(IntegrityError, match=r"persons\.json tells of 0 entries"):
        persons.known()
    (world.places.root / "persons.json").write_text(kept, encoding="utf-8")
    with closing(sqlite3.connect(world.places.root / "keystore" / "keys.db")) as db, db:
        db.execute("UPDATE person_move SET person = 'x' WHERE record LIKE 'crm:%'")
    with pytest.raises(IntegrityError, match="were changed"):
        persons.known()


def test_entries_of_the_register_are_rights_of_their_own(world):
    say(world, "part", natural(MERGED), CARD)
    assert {e.right for e in world.ledger.entries()} == {Right.NOT_SAME}
    assert not (world.places.root / "rights.json").is_file() or 'entries":0' in (
        world.places.root / "rights.json"
    ).read_text(encoding="utf-8")
