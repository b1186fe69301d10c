"""A file of requests becomes cases, once each; steps are kept, and what is in work is done and answered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from living_world import natural
from rights_world import ANN, MERGED, NOON, OTHER, RightsWorld, rights_world

from twinops.adapters.lineage_index import LineageIndex
from twinops.entities.rights import Right
from twinops.errors import DataError, ParamsError
from twinops.governance.subject_cases import Step, StepAsked, cases_of
from twinops.workflows.subject.export import Identified, export
from twinops.workflows.subject.requests import RequestsTaken, requests
from twinops.workflows.subject.step import CaseMoved, step
from twinops.workflows.subject.work import work

HEAD = "reference,id,kind,received,purpose,what"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> RightsWorld:
    return rights_world(tmp_path_factory.mktemp("requests"))


@pytest.fixture
def world(built: RightsWorld) -> RightsWorld:
    for name in ("rights.json", "corrections.json", "keystore/keys.db"):
        (built.places.root / name).unlink(missing_ok=True)
    built.clock[0] = NOON
    return built


def taken(world: RightsWorld, folder: Path, *rows: str, by: str = "dpo") -> RequestsTaken:
    file = folder / "requests.csv"
    file.write_text("\n".join([HEAD, *rows]) + "\n")
    return requests(world.desk, path=file, by=by)


def do(world: RightsWorld, case: str, to: Step, reason: str = "", **more: str) -> CaseMoved:
    return step(case, StepAsked(to, reason, **more), by="dpo", desk=world.desk)


def test_a_file_is_taken_in_once_however_often_it_comes(world, tmp_path):
    rows = (f"L-1,{natural(ANN)},erasure,2026-11-01,,please", f"L-2,{natural(OTHER)},access,2026-10-01,,")
    assert taken(world, tmp_path, *rows).taken == 2
    again = taken(world, tmp_path, *rows, f"L-3,{natural(MERGED)},objection,2026-11-20,offers,")
    assert (again.taken, again.known) == (1, 2)
    assert [(c.reference, c.overdue(again.today)) for c in again.cases] == [
        ("L-2", True),
        ("L-1", False),
        ("L-3", False),
    ]


def test_every_mistake_of_a_file_is_told_and_nothing_taken(world, tmp_path):
    with pytest.raises(DataError, match=r"3 request\(s\)") as told:
        taken(world, tmp_path, f"L-1,{natural(ANN)},erasure,2026-11-01,,", "L-2,x,magic,2026-11-01,,",
              "L-3,x,access,2999-01-01,,", ",x,access,soon,,")  # fmt: skip
    assert all(f"line {n}" in told.value.what for n in (3, 4, 5))
    assert world.ledger.entries() == ()


def test_two_requests_under_one_reference_are_told_and_neither_is_lost(world, tmp_path):
    hers, his = f"L-1,{natural(ANN)},erasure,2026-11-01,,", f"L-1,{natural(OTHER)},erasure,2026-11-01,,"
    with pytest.raises(DataError, match="line 3: its reference is another request's"):
        taken(world, tmp_path, hers, his)
    assert taken(world, tmp_path, hers, hers).taken == 1
    with pytest.raises(DataError, match="line 2: its reference is another request's"):
        taken(world, tmp_path, hers.replace("erasure", "objection"))
    assert taken(world, tmp_path, hers.replace("2026-11-01", "20261101")).known == 1


def test_somebody_unknown_is_a_case_all_the_same_and_their_words_lie_sealed(world, tmp_path):
    found = taken(world, tmp_path, "L-1,stranger-42,access,2026-11-01,,my secret words").cases[0]
    assert (found.subject, found.state) == ("", Step.RECEIVED)
    raw = (world.places.root / "keystore" / "keys.db").read_bytes()
    assert b"secret words" not in raw
    assert b"stranger" not in raw
    assert "Nobody is held" in str(do(world, found.id, Step.IDENTIFIED, "passport").refused)
    assert do(world, found.id, Step.REFUSED, "nobody of that name", ground="12(2)").refused is None


def test_steps_follow_one_another_and_each_is_kept_with_who_did_it(world, tmp_path):
    case = taken(world, tmp_path, f"L-1,{natural(ANN)},erasure,2026-11-01,,").cases[0].id
    assert "who asks" in str(do(world, case, Step.WORKING).refused)
    for to, reason in ((Step.IDENTIFIED, "passport"), (Step.EXTENDED, "many systems"), (Step.WORKING, "")):
        assert do(world, case, to, reason).refused is None
    found = cases_of(world.ledger.entries())[case]
    assert [s.step for s in found.steps] == [Step.RECEIVED, Step.IDENTIFIED, Step.EXTENDED, Step.WORKING]
    assert {(s.by, s.office) for s in found.steps} == {("dpo", "data protection officer")}
    assert (found.state, found.due.isoformat()) == (Step.WORKING, "2027-02-01")


def test_an_extension_after_the_first_month_is_refused_by_the_clock(world, tmp_path):
    case = taken(world, tmp_path, f"L-1,{natural(ANN)},erasure,2026-11-01,,").cases[0].id
    world.clock[0] = datetime(2026, 12, 2, tzinfo=UTC)
    assert "first month ended on 2026-12-01" in str(do(world, case, Step.EXTENDED, "late").refused)


def test_work_does_what_is_asked_for_all_records_and_answers(world, tmp_path):
    rows = [f"L-1,{natural(ANN)},objection,2026-11-01,,", f"L-2,{natural(MERGED)},restriction,2026-11-01,,",
            f"L-3,{natural(OTHER)},withdrawal,2026-11-01,,", f"L-4,{natural(OTHER)},access,2026-11-01,,"]  # fmt: skip
    cases = {c.reference: c.id for c in taken(world, tmp_path, *rows).cases}
    for case in cases.values():
        do(world, case, Step.IDENTIFIED, "passport")
        assert do(world, case, Step.WORKING, ground="b" if case == cases["L-2"] else "").refused is None
    done = work(by="dpo", desk=world.desk)
    assert sorted(done.done) == sorted(cases[r] for r in ("L-1", "L-2", "L-3"))
    assert "subject export" in done.left[0]
    answers = {n: world.opener.consumer(natural(n)).answers for n in (ANN, MERGED, OTHER)}
    # who names no use objects to all, and is not profiled again because somebody answered
    assert set(answers[ANN].values()) == {"objected"}
    assert set(answers[MERGED].values()) == {"restricted"}
    assert set(answers[OTHER].values()) == {"consent_withdrawn"}
    before = len(world.ledger.entries())
    assert work(by="dpo", desk=world.desk).done == ()
    assert len(world.ledger.entries()) == before


def test_whoever_died_between_doing_and_answering_only_answers_then(world, tmp_path):
    case = taken(world, tmp_path, f"L-1,{natural(ANN)},objection,2026-11-01,offers,").cases[0].id
    do(world, case, Step.IDENTIFIED, "passport")
    do(world, case, Step.WORKING)
    world.take(ANN, "object", purpose="offers")  # done, and killed before the answer
    assert work(by="dpo", desk=world.desk).done == (case,)
    assert sum(e.right is Right.OBJECTED for e in world.ledger.entries()) == 1


def test_an_erasure_is_done_by_what_erases_and_answered_only_if_it_did(world, tmp_path):
    cases = [c.id for c in taken(world, tmp_path, f"L-1,{natural(ANN)},erasure,2026-11-01,,",
                                 f"L-2,{natural(OTHER)},erasure,2026-11-02,,").cases]  # fmt: skip
    for case in cases:
        do(world, case, Step.IDENTIFIED, "passport")
        do(world, case, Step.WORKING)
    asked = []

    def erase(sid: str, case: str) -> str | None:
        asked.append((sid, case))
        return "a hold stands" if sid == world.sid(OTHER) else None

    done = work(by="dpo", desk=world.desk, erase=erase)
    assert asked == [(world.sid(ANN), cases[0]), (world.sid(OTHER), cases[1])]
    assert (done.done, done.left) == ((cases[0],), (f"{cases[1]}: a hold stands",))


def test_a_contested_decision_gets_a_persons_outcome_which_the_copy_shows(world, tmp_path):
    case = taken(world, tmp_path, f"L-1,{natural(ANN)},contest,2026-11-01,,why no offer?").cases[0].id
    do(world, case, Step.IDENTIFIED, "passport")
    assert do(world, case, Step.ANSWERED, "the offer is granted", outcome="changed").refused is None
    index = LineageIndex(world.places.root / "keystore")
    made = export(
        natural(ANN), identified=Identified("dpo", "passport"), desk=world.desk, opener=world.opener, learned=index
    )
    page = made.files["your-data.html"].decode()
    assert "a person answered: changed. the offer is granted" in page


def test_wrong_office_no_case_and_nobody_named(world, tmp_path):
    assert taken(world, tmp_path, f"L-1,{natural(ANN)},access,2026-11-01,,", by="risk-officer").refused is not None
    assert world.ledger.entries() == ()
    with pytest.raises(ParamsError, match="no such case"):
        do(world, "c-999999", Step.ANSWERED)
