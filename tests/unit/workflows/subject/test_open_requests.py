"""Who asked to be let alone is so from the moment the request is taken in, until a person has decided it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from living_world import natural
from rights_world import ANN, CARD, MERGED, NOON, OTHER, RightsWorld, rights_world

from twinops.data.consent.rights import restricted
from twinops.entities.consent import Purpose, Reason
from twinops.entities.rights import Right
from twinops.errors import IntegrityError
from twinops.governance.copy_words import REASONS
from twinops.governance.subject_cases import Step, StepAsked
from twinops.twin.state.permissions import LedgerQuestion, permissions
from twinops.workflows.scoring.admitted import admitted, stopped_since
from twinops.workflows.subject.requests import requests
from twinops.workflows.subject.step import step
from twinops.workflows.subject.work import work

OPEN = Reason.OPEN_REQUEST.value
EVERY = [p.value for p in Purpose]
USES = ("offers", "twin_scoring", "twin_training")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> RightsWorld:
    return rights_world(tmp_path_factory.mktemp("open"), households=120)


@pytest.fixture
def world(built: RightsWorld) -> RightsWorld:
    for name in ("rights.json", "corrections.json", "holds.json", "persons.json", "keystore/keys.db"):
        (built.places.root / name).unlink(missing_ok=True)
    built.clock[0] = NOON
    return built


def asks(world: RightsWorld, kind: str, who: int | str = ANN, purpose: str = "", day: str = "2026-11-20") -> str:
    """The request comes in a file; the case it became."""
    file = world.places.root / "asked.csv"
    name = natural(who) if isinstance(who, int) else who
    number = len(world.ledger.entries()) + 1
    file.write_text(f"reference,id,kind,received,purpose,what\nL-{number},{name},{kind},{day},{purpose},\n")
    requests(world.desk, path=file, by="dpo")
    return f"c-{len({e.act.about['case'] for e in world.ledger.entries() if e.right is Right.CASE}):06}"


def decide(world: RightsWorld, case: str, *steps: tuple[Step, str, str]) -> None:
    for to, reason, ground in steps:
        assert step(case, StepAsked(to, reason, ground), by="dpo", desk=world.desk).refused is None


def says(world: RightsWorld, number: int = ANN) -> dict[str, str | None]:
    answers = world.opener.consumer(natural(number)).answers
    return {p: answers[p] for p in USES}


def learned_from(world: RightsWorld, number: int = ANN) -> bool:
    receipts = world.receipts
    answers = receipts.answers(LedgerQuestion((world.sid(number),), (150,), receipts.today))
    return bool(permissions(receipts.plane.engine, answers, today=receipts.today).num_rows)


def test_an_open_objection_to_offers_stops_offers_and_nothing_else(world: RightsWorld) -> None:
    assert says(world) == dict.fromkeys(USES)
    asks(world, "objection", purpose="offers")
    assert says(world) == {"offers": OPEN, "twin_scoring": None, "twin_training": None}
    assert learned_from(world)
    assert says(world, OTHER)["offers"] is None


@pytest.mark.parametrize("kind", ["objection", "withdrawal", "erasure", "restriction"])
def test_who_asks_without_a_purpose_is_out_of_every_use_and_of_what_is_learned_from(
    world: RightsWorld, kind: str
) -> None:
    before = len(admitted(world.receipts, "offers").sids)
    asks(world, kind)
    assert set(says(world).values()) == {OPEN}
    assert not learned_from(world)
    found = admitted(world.receipts, "offers")
    assert (len(found.sids), found.left_out[OPEN]) == (before - 1, 1)
    assert world.sid(ANN) in stopped_since(world.receipts, "offers")


def test_stages_that_ask_no_other_leave_open_nothing_of_who_asks_for_erasure_or_restriction(world: RightsWorld) -> None:
    asks(world, "erasure")
    asks(world, "restriction", OTHER)
    asks(world, "objection", MERGED)
    assert restricted(world.receipts.rights) == {world.sid(ANN), world.sid(OTHER)}


@pytest.mark.parametrize("kind", ["access", "portability", "rectification", "contest"])
def test_who_asks_for_a_copy_is_held_up_in_nothing_and_no_stage_runs_for_it(world: RightsWorld, kind: str) -> None:
    asks(world, kind)
    assert says(world) == dict.fromkeys(USES)
    assert json.loads((world.places.root / "rights.json").read_text())["entries"] == 0


def test_a_refused_request_lets_the_consumer_back_in(world: RightsWorld) -> None:
    case = asks(world, "erasure")
    decide(world, case, (Step.IDENTIFIED, "passport", ""), (Step.EXTENDED, "many systems", ""), (Step.WORKING, "", ""))
    assert set(says(world).values()) == {OPEN}, "an extension decides nothing"
    decide(world, case, (Step.REFUSED, "a claim is open", "17(3)(e)"))
    assert says(world) == dict.fromkeys(USES)


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("objection", dict.fromkeys(USES, "objected")),
        ("withdrawal", dict.fromkeys(USES, "consent_withdrawn")),
        ("erasure", dict.fromkeys(USES, "consent_withdrawn")),
        ("restriction", dict.fromkeys(USES, "restricted")),
    ],
)
def test_an_answered_request_counts_as_done_though_nobody_typed_the_act(
    world: RightsWorld, kind: str, left: dict[str, str | None]
) -> None:
    case = asks(world, kind)
    decide(world, case, (Step.IDENTIFIED, "passport", ""), (Step.ANSWERED, "done", ""))
    assert says(world) == left


@pytest.mark.parametrize("by_work", [True, False])
def test_whoever_reads_that_an_objection_is_to_profiling_alone_says_so_and_offers_go_on(
    world: RightsWorld, by_work: bool
) -> None:
    case = asks(world, "objection")
    decide(world, case, (Step.IDENTIFIED, "passport", ""))
    narrow = StepAsked(Step.WORKING, purpose="twin_scoring")
    early = StepAsked(Step.ANSWERED, "done", purpose="twin_scoring")
    assert "when it is taken into work" in str(step(case, early, by="dpo", desk=world.desk).refused)
    assert step(case, narrow, by="dpo", desk=world.desk).refused is None
    assert set(says(world).values()) == {OPEN}, "nobody has decided it yet"
    if by_work:
        assert work(by="dpo", desk=world.desk).done == (case,)
    else:
        decide(world, case, (Step.ANSWERED, "done", ""))
    assert says(world)["twin_training"] is None
    assert says(world)["twin_scoring"] == "objected"


def test_what_work_does_with_a_case_stays_when_the_case_is_closed_and_a_later_yes_lifts_it(world: RightsWorld) -> None:
    case = asks(world, "objection", purpose="offers")
    decide(world, case, (Step.IDENTIFIED, "passport", ""), (Step.WORKING, "", ""))
    assert work(by="dpo", desk=world.desk).done == (case,)
    assert says(world)["offers"] == "objected"
    world.clock[0] = NOON + timedelta(days=1)
    world.take(ANN, "consent", purpose="offers", notice="2026-11", proof="form 12")
    assert says(world)["offers"] is None


def test_a_yes_by_command_waits_until_the_open_request_is_decided(world: RightsWorld) -> None:
    case = asks(world, "objection", purpose="offers")
    told = world.take(ANN, "consent", purpose="offers", notice="2026-11", proof="form 12")
    assert "open and holds it up" in told.sentences[0]
    assert says(world)["offers"] == OPEN
    decide(world, case, (Step.REFUSED, "asked by somebody else", "12(2)"))
    assert says(world)["offers"] is None


def test_a_request_about_a_linked_record_holds_up_the_persons_twin(world: RightsWorld) -> None:
    case = asks(world, "erasure", CARD)
    assert set(says(world, MERGED).values()) == {OPEN}
    assert len(requests(world.desk).cases) == 1
    decide(world, case, (Step.REFUSED, "a claim is open", "17(3)(e)"))
    assert says(world, MERGED) == dict.fromkeys(USES)


def test_a_project_from_before_open_requests_counted_is_behind_and_a_look_brings_it_up_to_date(
    world: RightsWorld,
) -> None:
    world.take(OTHER, "object", purpose="offers")
    told = (world.places.root / "rights.json").read_text()
    asks(world, "erasure")
    world.take(MERGED, "object", purpose="offers")
    acts = [e for e in world.ledger.entries() if e.right is Right.OBJECTED]
    old = json.dumps({"entries": len(acts), "head": acts[-1].digest})
    for before in (told, old):
        (world.places.root / "rights.json").write_text(before)
        with pytest.raises(IntegrityError, match="tells of"):
            says(world)
        world.ledger.sync()
        assert says(world)["offers"] == OPEN


def test_the_stages_follow_where_a_request_begins_and_where_it_ends_and_not_between(world: RightsWorld) -> None:
    def told() -> int:
        return int(json.loads((world.places.root / "rights.json").read_text())["entries"])

    case = asks(world, "objection")
    assert told() == 1
    decide(world, case, (Step.IDENTIFIED, "passport", ""), (Step.WORKING, "", ""))
    assert told() == 1
    decide(world, case, (Step.ANSWERED, "done", ""))
    assert told() == 2


def test_the_copy_has_words_for_every_reason_why_a_use_is_not_allowed() -> None:
    assert {r.value for r in Reason} - {Reason.ERASED.value} <= set(REASONS)


def test_nobody_recognised_holds_up_nobody(world: RightsWorld, tmp_path: Path) -> None:
    asks(world, "erasure", "stranger-42")
    assert says(world) == dict.fromkeys(USES)
