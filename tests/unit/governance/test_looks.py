from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinops.errors import IntegrityError
from twinops.governance.looks import BEGINNING, OPENED, SPLIT, TRIED, Look, Looks, lacks, read, told

DAYS, FIRST = (253, 281), {"salt": 1, "share": 0.2}
A, B, C = "a" * 64, "b" * 64, "c" * 64


def tried(candidate: str, days=DAYS, split=FIRST) -> tuple[str, dict]:
    return TRIED, {"candidate": candidate, "days": list(days), "split": dict(split)}


def opened(candidate: str, number: int, days=DAYS, split=FIRST) -> tuple[str, dict]:
    said = {
        "day": "2026-11-28",
        "revision": None,
        "by": "risk-officer",
        "why": "the release of November",
        "number": number,
    }
    return OPENED, {**tried(candidate, days, split)[1], **said}


def of(*events: tuple[str, dict]) -> Looks:
    found = Looks()
    for kind, about in events:
        found = found.with_one(kind, about)
    return found


FOUR = of(tried(A), tried(B), opened(B, 1), tried(C))


def test_what_was_written_is_read_back():
    assert read(FOUR.text()) == FOUR
    assert read("") == Looks()
    assert Looks().head == BEGINNING


@pytest.mark.parametrize("gone", range(3))
def test_a_line_that_is_taken_out_leaves_one_that_hangs_on_nothing(gone):
    lines = FOUR.text().splitlines(keepends=True)
    with pytest.raises(IntegrityError, match="changed or taken out"):
        read("".join(lines[:gone] + lines[gone + 1 :]))


@given(place=st.integers(0, len(FOUR.text()) - 1), letter=st.characters(min_codepoint=32, max_codepoint=126))
def test_no_letter_can_be_changed_unseen(place, letter):
    text = FOUR.text()
    changed = text[:place] + letter + text[place + 1 :]
    if changed == text:
        return
    try:
        found = read(changed)
    except IntegrityError:
        return
    # only the newest line hangs on nobody's word but a registry's
    assert lacks(told(found, DAYS, FIRST, B), {"size": 4, "head": FOUR.head})


def test_a_shortened_or_rewritten_end_is_known_to_whoever_remembers_the_newest_line():
    remembered = {"size": len(FOUR.events), "head": FOUR.head}
    longer = FOUR.with_one(*tried("d" * 64))
    assert not lacks(told(FOUR, DAYS, FIRST, B), remembered)
    assert not lacks(told(longer, DAYS, FIRST, B), remembered)
    for other in (Looks(FOUR.events[:3]), of(tried(A), tried(B), tried(C), tried(C)), Looks()):
        assert lacks(told(other, DAYS, FIRST, B), remembered)
    assert lacks(None, remembered)
    assert lacks({"lines": "no list"}, remembered)


def test_two_branches_that_git_joins_keep_both_chains():
    base = of(tried(A))
    ours, theirs = base.with_one(*tried(B)), base.with_one(*tried(C)).with_one(*opened(C, 1))
    joined = ours.text() + "".join(f"{e.line}\n" for e in theirs.events[1:])
    found = read(joined)
    assert found.tried(DAYS) == 3
    assert len(found.openings(DAYS)) == 1
    for branch in (ours, theirs):
        assert not lacks(told(found, DAYS, FIRST, A), {"size": len(branch.events), "head": branch.head})


@pytest.mark.parametrize(
    "line",
    [
        "{}", "no json", "[]", '{"about":{},"after":"0","kind":"tried"}', Look("other", {}, BEGINNING).line,
        Look(TRIED, {**tried(A)[1], "sid": "somebody"}, BEGINNING).line,
        Look(TRIED, {**tried(A)[1], "days": []}, BEGINNING).line,
        Look(TRIED, {**tried(A)[1], "days": ["253"]}, BEGINNING).line,
        Look(TRIED, {**tried(A)[1], "split": {"salt": "1", "share": 0.2}}, BEGINNING).line,
        " " + Look(*tried(A), BEGINNING).line,
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_in_a_sentence(line):
    with pytest.raises(IntegrityError, match="no event of it"):
        read(line + "\n")


def test_candidates_are_counted_once_on_days_they_share():
    found = of(tried(A), tried(B), tried(B), tried(C, days=(365,)), tried(C, days=(281, 309)))
    assert found.tried(DAYS) == 3
    assert found.tried((365,)) == 1
    assert found.tried((400,)) == 0


def test_another_salt_undoes_no_look_at_the_same_days():
    other = {"salt": 2, "share": 0.2}
    found = FOUR.with_one(SPLIT, {"split": other, "day": "2026-11-28", "by": "a", "why": "another draw, said aloud"})
    assert len(found.openings(DAYS)) == 1
    assert found.opened_of(other) == 0
    assert found.opened_of({"salt": 1, "share": 0.3}) == 1, "a share that moved holds most of the same households"


def test_another_split_than_the_first_must_be_declared():
    other = {"salt": 2, "share": 0.2}
    assert FOUR.declares(FIRST)
    assert not FOUR.with_one(*tried(C, split=other)).declares(other)
    assert FOUR.with_one(SPLIT, {"split": other, "day": "2026-11-28", "by": "a", "why": "b"}).declares(other)
    assert Looks().declares(other), "before anything was measured every split is the first"
