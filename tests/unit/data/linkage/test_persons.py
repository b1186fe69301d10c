"""Persons keep their ids while records come, go and are corrected; what happens to them is told with its cause."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinops.adapters.memory.persons import MemoryPersons
from twinops.data.linkage.persons import moves, named
from twinops.entities.persons import Cause, Change, PairDecision, contradiction
from twinops.entities.rights import is_code

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def founding(founder: str, turn: int) -> str:
    return f"{founder}#{turn}"


class Register:
    """Groups in, persons out; settled each time."""

    def __init__(self) -> None:
        self.persons = MemoryPersons()

    def settled(self, *groups: str, changed: str = "") -> tuple[dict[str, str], set[tuple[str, str, Change, Cause]]]:
        """Each group a word, each letter a record; letters in `changed` hold something new."""
        known = self.persons.known()
        person = named(known, [tuple(g) for g in groups], founding=founding)
        marks = {r: k.fingerprint for r, k in known.records.items()} | {r: f"new {r}" for r in changed}
        made = moves(known, person, {r: marks.get(r, r) for r in person})
        if made:
            self.persons.settle(made, "", office="dpo", person="D")
        told = {(m.record, m.person, m.change, m.cause) for m in made if m.change is not Change.SEEN}
        return person, told


@pytest.fixture
def register() -> Register:
    return Register()


def test_a_group_that_grows_is_the_same_person_and_who_came_is_told(register):
    first, told = register.settled("ab", "c")
    assert told == {(r, first["a"], Change.JOINED, Cause.NEW) for r in "ab"}
    then, told = register.settled("abd", "c")
    assert {then[r] for r in "abd"} == {first["a"]}
    assert told == {("d", first["a"], Change.JOINED, Cause.NEW)}


def test_nothing_happens_to_anybody_in_five_runs_of_the_same_records(register):
    first, _ = register.settled("abc", "de", "f")
    for _ in range(5):
        assert register.settled("f", "ed", "cba") == (first, set())
    assert len(register.persons.settlements) == 1


def test_a_bridging_record_merges_two_persons_into_the_one_with_more_records(register):
    before, _ = register.settled("ab", "cde")
    after, told = register.settled("abxcde")
    assert set(after.values()) == {before["c"]}
    assert told == {
        ("x", before["c"], Change.JOINED, Cause.NEW),
        *((r, before["c"], Change.MERGED, Cause.NEW) for r in "ab"),
    }


def test_of_two_equals_the_one_settled_first_goes_on(register):
    register.settled("zy")
    first, _ = register.settled("zy", "ab")
    after, _ = register.settled("zyab")
    assert set(after.values()) == {first["z"]}


@pytest.mark.parametrize(
    ("groups", "changed", "cause"),
    [(("ab", "xcde"), "x", Cause.CORRECTED), (("ab", "cde"), "", Cause.GONE), (("ab", "xcde"), "", Cause.WEIGHTS)],
)
def test_when_the_bridge_is_corrected_erased_or_weighs_less_both_are_who_they_were(register, groups, changed, cause):
    before, _ = register.settled("ab", "cde")
    register.settled("abxcde")
    after, told = register.settled(*groups, changed=changed)
    assert {r: after[r] for r in "abcde"} == {r: before[r] for r in "abcde"}
    assert {(r, w, c) for r, _, w, c in told if w is Change.SPLIT} == {(r, Change.SPLIT, cause) for r in "ab"}


def test_who_was_gone_comes_back_as_the_person_they_were(register):
    before, _ = register.settled("ab", "c")
    _, told = register.settled("c")
    assert {(r, change, cause) for r, _, change, cause in told} == {(r, Change.LEFT, Cause.GONE) for r in "ab"}
    after, _ = register.settled("ab", "c")
    assert after == before


def test_a_person_who_moves_on_is_never_two_persons(register):
    before, _ = register.settled("abcd")
    after, told = register.settled("abx", "cdy")
    assert after["a"] == before["a"]
    assert after["c"] not in {before["a"], *register.persons.known().records["a"].former}
    assert {(r, change) for r, _, change, _ in told if change is Change.SPLIT} == {
        ("c", Change.SPLIT),
        ("d", Change.SPLIT),
    }


def test_what_a_person_decided_is_the_cause(register):
    register.settled("ab", "cd")
    register.persons.decided = (PairDecision("a", "c", True, 7, NOW, "D"),)
    _, told = register.settled("abcd")
    assert {cause for *_, cause in told} == {Cause.DECISION}


PARTITIONS = st.lists(st.integers(0, 3), min_size=8, max_size=8).map(
    lambda of: ["".join(r for r, g in zip("abcdefgh", of, strict=True) if g == place) for place in range(4)]
)


@given(st.lists(PARTITIONS, min_size=1, max_size=4), st.randoms())
def test_ids_hang_on_records_alone_not_on_their_order_and_each_group_has_one(partitions, random):
    one, other = Register(), Register()
    for groups in partitions:
        there = [g for g in groups if g]
        mixed = random.sample(["".join(sorted(g, reverse=True)) for g in there], len(there))
        person, told = one.settled(*there)
        again, told_again = other.settled(*("".join(sorted(g)) for g in mixed))
        assert (person, told) == (again, told_again)
        assert len({person[g[0]] for g in there}) == len(there)
        assert all(len({person[r] for r in g}) == 1 for g in there)
        assert {r: k.person for r, k in one.persons.known().records.items() if k.here} == person


def test_decisions_that_cannot_both_hold_are_found_however_far_apart():
    def said(one: str, other: str, same: bool) -> PairDecision:
        return PairDecision(one, other, same, 1, NOW, "D")

    stands = (said("a", "b", True), said("b", "c", True), said("c", "d", False), said("d", "e", True))
    assert contradiction(stands, "a", "e", same=True) == stands[2]
    assert contradiction(stands, "a", "c", same=False) in stands[:2]
    assert contradiction(stands, "a", "x", same=True) is None
    assert contradiction(stands, "a", "e", same=False) is None


def test_a_record_s_name_may_stand_in_an_entry():
    assert is_code("social_accounts:" + "f" * 32)
