"""What a consumer decides by command holds from that moment, for all of their records, whatever a source says."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from living_world import natural
from rights_world import ANN, CARD, CHILD, MERGED, NOON, OTHER, RightsWorld, rights_world

from twinops.data.consent.rights import corrected, corrections
from twinops.entities.rights import Right, RightsAct
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.evaluation.statistics.keyed_noise import KeyedNoise
from twinops.twin.state.permissions import LedgerQuestion, permissions
from twinops.workflows.subject.act import FOLLOWS, RightsAsked, act
from twinops.workflows.subject.act_file import act_file
from twinops.workflows.twin.predict import predict
from twinops.workflows.twin.segments import segments
from twinops.workflows.twin.show import show


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> RightsWorld:
    return rights_world(tmp_path_factory.mktemp("rights"))


@pytest.fixture
def world(built: RightsWorld) -> RightsWorld:
    """The same project, with an empty ledger."""
    for path in [*built.places.root.glob("*.json"), *(built.places.root / "keystore").glob("*")]:
        if path.name in ("rights.json", "corrections.json", "persons.json", "keys.db"):
            path.unlink()
    built.clock[0] = NOON
    return built


def reason(world: RightsWorld, number: int, purpose: str) -> str | None:
    """What the ledger answers today."""
    return world.opener.consumer(natural(number)).answers[purpose]


def flags(world: RightsWorld, number: int) -> dict[str, bool] | None:
    """What the next run of the pipeline would write of the household, today."""
    receipts = world.receipts
    answers = receipts.answers(LedgerQuestion((world.sid(number),), (150,), receipts.today))
    rows = permissions(receipts.plane.engine, answers, today=receipts.today).to_pylist()
    return {k: v for k, v in rows[-1].items() if k.startswith("may_")} if rows else None


def test_an_objection_to_offers_holds_at_once_and_for_nothing_else(world):
    done = world.take(ANN, "object", purpose="offers")
    assert (done.written, done.refused) == (1, ())
    assert FOLLOWS in done.sentences
    assert "absolute" in done.sentences[0]
    assert (reason(world, ANN, "offers"), reason(world, ANN, "twin_scoring")) == ("objected", None)
    assert flags(world, ANN)["may_offer"] is False
    assert flags(world, ANN)["may_train"] is True
    assert reason(world, OTHER, "offers") is None


def test_who_withdraws_training_is_in_no_table_of_any_day(world):
    world.take(ANN, "withdraw", purpose="twin_training")
    assert flags(world, ANN) is None
    assert flags(world, OTHER) is not None


def test_restriction_stops_every_use_and_lifting_gives_back_what_was_allowed(world):
    before = flags(world, ANN)
    world.take(ANN, "restrict", ground="a")
    assert flags(world, ANN) is None
    refused = predict(natural(ANN), "twin_scoring", opener=world.opener).refused
    assert refused is not None
    assert "restricted" in refused
    assert show(natural(ANN), "offers", opener=world.opener).portrait is None
    world.take(ANN, "lift")
    assert flags(world, ANN) == before


def test_segments_leave_out_whoever_objected_since_the_last_run(world, monkeypatch):
    monkeypatch.setattr(KeyedNoise, "count", lambda _noise, rows, _name: len(rows))  # as it is without noise
    whole = segments(receipts=world.receipts).asked
    world.take(ANN, "object", purpose="twin_scoring")
    world.take(OTHER, "object", purpose="offers")
    assert segments(receipts=world.receipts).asked == whole - 1
    assert segments(purpose="offers", receipts=world.receipts).asked == whole - 2


def test_a_yes_of_a_source_after_the_no_does_not_undo_it_and_a_yes_by_command_does(world):
    world.take(ANN, "object", purpose="offers")
    sid, columns = world.sid(ANN), ("sid", "purpose", "event", "day", "seq")
    later = pa.table(dict(zip(columns, ([sid], ["offers"], ["granted"], [world.receipts.today], [99]), strict=True)))
    told = world.receipts.with_rights(later).to_pylist()
    assert [row["event"] for row in told] == ["objected"]
    world.clock[0] = NOON.replace(hour=13)
    world.take(ANN, "consent", purpose="offers", notice="2026-11", proof="form 12")
    assert reason(world, ANN, "offers") is None


def test_a_no_of_a_source_on_the_same_day_outweighs_a_yes_by_command(world):
    world.take(ANN, "consent", purpose="offers", notice="2026-11", proof="form 12")
    sid, columns = world.sid(ANN), ("sid", "purpose", "event", "day", "seq")
    same = pa.table(dict(zip(columns, ([sid], ["offers"], ["refused"], [world.receipts.today], [0]), strict=True)))
    events = world.receipts.with_rights(same).sort_by("seq").to_pylist()
    assert events[-1]["event"] == "refused"


def test_a_consent_from_before_the_objection_lifts_nothing(world):
    world.take(ANN, "object", purpose="offers")
    old = world.take(ANN, "consent", purpose="offers", notice="v", proof="p", given="2026-11-27T09:00")
    assert "lifts nothing" in old.refused[0]
    assert reason(world, ANN, "offers") == "objected"


@pytest.mark.parametrize(
    ("given", "last"),
    [("2017-07-05T09:00", "withdrawn"), ("2017-07-10T09:00", "withdrawn"), ("2017-07-15T09:00", "granted")],
)
def test_a_yes_that_is_taken_down_late_falls_to_a_no_that_a_source_told_after_it_was_given(world, given, last):
    world.take(ANN, "consent", purpose="offers", notice="2015-01", proof="form 12", given=given)
    sid, day = world.sid(ANN), world.receipts.days.number(date(2017, 7, 10))
    no = {"sid": sid, "purpose": "offers", "event": "withdrawn", "day": day, "seq": 3}
    events = world.receipts.with_rights(pa.Table.from_pylist([no])).sort_by(
        [("day", "ascending"), ("seq", "ascending")]
    )
    assert events["event"].to_pylist()[-1] == last


def test_a_consent_from_before_what_another_record_of_the_same_person_told_lifts_nothing(world):
    world.ledger.append(RightsAct(Right.OBJECTED, world.sid(CARD), "dpo", "Dora", purpose="offers"))
    old = world.take(MERGED, "consent", purpose="offers", notice="v", proof="p", given="2026-11-27T09:00")
    assert "lifts nothing" in old.refused[0]


def test_consent_carries_notice_proof_and_moment_sealed(world):
    world.take(ANN, "consent", purpose="offers", notice="2026-11", proof="form 12", given="2026-11-28T09:00")
    (entry,) = world.ledger.entries()
    told = world.ledger.told(entry)
    assert told == {"notice": "2026-11", "proof": "form 12", "given": "2026-11-28T09:00:00+00:00"}


@pytest.mark.parametrize(
    "lacking", [{"notice": "v"}, {"proof": "p"}, {"notice": "v", "proof": "p", "given": "2999-01-01"}]
)
def test_consent_without_what_shows_it_is_a_mistake(world, lacking):
    with pytest.raises(DataError):
        world.take(ANN, "consent", purpose="offers", **lacking)


def test_a_childs_consent_is_refused_and_their_objection_taken(world):
    assert "under age" in world.take(CHILD, "consent", purpose="offers", notice="v", proof="p").refused[0]
    assert world.take(CHILD, "object", purpose="offers").written == 1


def test_the_same_twice_is_written_once_and_said_so(world):
    world.take(ANN, "object", purpose="offers")
    again = world.take(ANN, "object", purpose="offers")
    assert (again.written, again.already) == (0, 1)
    assert "nothing was written twice" in again.sentences[0]
    assert len(world.ledger.entries()) == 1


@pytest.mark.parametrize("who", [MERGED, CARD])
def test_all_records_of_a_merged_person_follow_whichever_is_named(world, who):
    done = world.take(who, "object", purpose="twin_training")
    assert done.written == 2
    assert {e.sid for e in world.ledger.entries()} == {world.sid(MERGED), world.sid(CARD)}
    assert flags(world, MERGED) is None


def test_a_refusal_holds_when_the_link_is_gone_because_of_it(world):
    world.take(CARD, "restrict", ground="b")
    links, kept = world.places.links, world.places.links.read_bytes()
    links.unlink()  # as `lawful` and `link` would: a restricted record is linked no more
    try:
        assert flags(world, MERGED) is None
        assert world.take(CARD, "lift").written == 2, "the person is still one"
        assert flags(world, MERGED) is not None
    finally:
        links.write_bytes(kept)


def test_nobody_held_is_told_so_without_repeating_the_id(world):
    for unknown in (natural(99_999), "hello", "'; DROP TABLE rights; --"):
        with pytest.raises(DataError, match="No such consumer is held") as told:
            world.take(unknown, "object", purpose="offers")
        assert unknown not in str(told.value)


@pytest.mark.parametrize("by", ["risk-officer", "scientist", "nobody at all"])
def test_the_wrong_office_is_refused_and_nothing_written(world, by):
    assert "data owner or the data protection officer" in world.take(ANN, "object", purpose="offers", by=by).refused[0]
    assert world.ledger.entries() == ()


def test_nobody_named_is_a_mistake(world):
    with pytest.raises(ParamsError, match="Say who"):
        world.take(ANN, "object", purpose="offers", by=" ")


@pytest.mark.parametrize(
    "asked", [{"what": "forget"}, {"what": "object", "purpose": "fun"}, {"what": "restrict", "ground": "z"}]
)
def test_what_cannot_be_asked_is_told(world, asked):
    with pytest.raises(DataError, match=r"there are|one of"):
        world.take(ANN, **asked)


def test_a_long_reason_is_refused_and_not_cut(world):
    with pytest.raises(DataError, match="longer than 2,000"):
        world.take(ANN, "object", purpose="offers", reason="x" * 2_001)


def test_a_file_tells_all_mistakes_at_once_and_writes_nothing(world, tmp_path):
    file = tmp_path / "asked.csv"
    lines = ["id,act,purpose,ground", f"{natural(ANN)},object,offers,", f"{natural(OTHER)},restrict,,z"]
    file.write_text("\n".join([*lines, "stranger,object,offers,", f"{natural(ANN)},withdraw,fun,"]) + "\n")
    with pytest.raises(DataError, match=r"3 request\(s\) cannot be taken") as told:
        act_file(file, by="dpo", desk=world.desk)
    assert [f"line {n}:" in told.value.what for n in (2, 3, 4, 5)] == [False, True, True, True]
    assert "stranger" not in told.value.what
    assert world.ledger.entries() == ()


def test_a_file_in_which_one_is_refused_writes_nothing(world, tmp_path):
    file = tmp_path / "asked.json"
    file.write_text(
        f'[{{"id": "{natural(ANN)}", "act": "object", "purpose": "offers"}},'
        f'{{"id": "{natural(CHILD)}", "act": "consent", "purpose": "offers", "notice": "v", "proof": "p"}}]'
    )
    done = act_file(file, by="dpo", desk=world.desk)
    assert "line 2:" in done.refused[0]
    assert world.ledger.entries() == ()


def test_a_file_that_says_yes_and_no_of_one_consumer_is_a_mistake(world):
    both = [RightsAsked(natural(ANN), "object", purpose="offers", row=2),
            RightsAsked(natural(ANN), "consent", purpose="offers", notice="v", proof="p", row=3)]  # fmt: skip
    with pytest.raises(DataError, match="otherwise than line 2"):
        act(both, by="dpo", desk=world.desk)


def test_a_good_file_is_taken_whole(world, tmp_path):
    file = tmp_path / "asked.csv"
    rows = [f"{natural(n)};object;offers" for n in range(20, 60)]
    file.write_text("\n".join(["id;act;purpose", *rows, rows[0]]) + "\n")
    done = act_file(file, by="dpo", desk=world.desk)
    assert (done.written, len(done.subjects)) == (40, 40)
    assert all(flags(world, n)["may_offer"] is False for n in (20, 59))


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"id,what\n1,2\n", b"[1, 2]", b"{", b'id,act\n"1,object\n', b"id,act\n1,object,3,4\n"]
)
def test_a_file_that_is_none_gets_one_sentence(world, tmp_path, content):
    file = tmp_path / "asked.csv"
    file.write_bytes(content)
    with pytest.raises(DataError):
        act_file(file, by="dpo", desk=world.desk)


def test_a_field_put_right_stands_whatever_the_source_says_and_the_old_value_lies_sealed(world):
    world.take(CARD, "correct", source="crm", column="city", value="Kassel")
    (entry,) = world.ledger.entries()
    assert world.ledger.told(entry) == {"value": "Kassel", "before": "city of eight"}
    raw = (world.places.root / "keystore" / "keys.db").read_bytes()
    assert b"Kassel" not in raw
    assert b"of eight" not in raw
    rows = pa.table({"crm_id": ["C00000001", CARD], "city": ["Bonn", "again the old"]})
    again = corrected(rows, corrections(world.receipts.rights, "crm"), subject="crm_id", sids=world.keys.subject_ids)
    assert again["city"].to_pylist() == ["Bonn", "Kassel"]


def test_a_correction_names_the_household_and_finds_its_linked_profile(world):
    assert world.take(MERGED, "correct", source="crm", column="city", value="Kassel").written == 1
    assert world.ledger.entries()[0].sid == world.sid(CARD)
    assert world.ledger.entries()[0].right is Right.CORRECTED


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "nothing", "column": "city", "value": "x"},
        {"source": "crm", "column": "crm_id", "value": "x"},
        {"source": "crm", "column": "hobby", "value": "x"},
        {"source": "crm", "column": "born", "value": "soon"},
        {"source": "crm", "column": "city", "value": ""},
        {"source": "transactions", "column": "sales_value", "value": "1"},
        {"source": "demographics", "column": "age", "value": "900"},
        {"source": "consent", "column": "event", "value": "granted"},
    ],
)
def test_what_cannot_be_put_right_is_told(world, wrong):
    with pytest.raises(DataError):
        world.take(CARD, "correct", **wrong)
    assert world.ledger.entries() == ()


def test_nothing_is_served_by_a_ledger_that_the_project_does_not_follow(world):
    world.take(ANN, "object", purpose="offers")
    (world.places.root / "rights.json").unlink()
    for ask in (lambda: predict(natural(OTHER), "twin_scoring", opener=world.opener),
                lambda: segments(receipts=world.receipts), lambda: flags(world, OTHER)):  # fmt: skip
        with pytest.raises(IntegrityError, match="subject sync"):
            ask()


def test_no_id_and_no_word_is_in_what_is_told(world, capsys):
    done = world.take(ANN, "object", purpose="offers", reason="my neighbour reads it")
    told = done.text() + str(done) + capsys.readouterr().err
    assert natural(ANN) not in told
    assert world.sid(ANN) not in told
    assert "neighbour" not in told
