"""The journal gives each event its own word, whatever else is written in the same commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinops.service.journal import PUT_AT_ONCE, Entry, Journal, Written

KEY = b"k" * 64


def _entry(event_id: str, cents: int = 1) -> tuple[Entry, bytes]:
    return Entry("till", event_id, "s1", False, {"kind": "purchase", "day": 3, "cents": cents}), KEY


@pytest.fixture
def journal(tmp_path: Path):
    made = Journal(tmp_path / "events.db")
    yield made
    made.close()


def test_each_of_one_commit_gets_its_own_word(journal: Journal) -> None:
    assert journal.write([_entry("a")]) == [Written.ACCEPTED]
    found = journal.write([_entry("b"), _entry("a"), _entry("b"), _entry("a", 2), _entry("b", 2), _entry("c")])
    told = (Written.ACCEPTED, Written.DUPLICATE, Written.DUPLICATE, Written.OTHER, Written.OTHER, Written.ACCEPTED)
    assert found == list(told)
    assert [row.event_id for row in journal.after(0)] == ["a", "b", "c"]
    assert [row.told({"s1": KEY})["cents"] for row in journal.of("s1")] == [1, 1, 1]
    assert journal.after(0)[0].told({}) is None


def test_more_than_one_statement_takes_are_one_commit(journal: Journal) -> None:
    many = [_entry(f"e{n}") for n in range(2 * PUT_AT_ONCE + 1)]
    assert set(journal.write(many)) == {Written.ACCEPTED}
    assert set(journal.write(many)) == {Written.DUPLICATE}
    assert [row.event_id for row in journal.after(0)] == [e.event_id for e, _ in many]


def test_what_fails_leaves_nothing_and_the_next_is_taken(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("twinops.service.journal._became", _broken)
        with pytest.raises(OSError, match="disk"):
            journal.write([_entry("a"), _entry("a")])
    assert journal.after(0) == []
    assert journal.write([_entry("a")]) == [Written.ACCEPTED]


def _broken(*_: object) -> list[Written]:
    raise OSError("the disk is full")


def test_who_reads_does_not_wait_for_who_writes(journal: Journal) -> None:
    journal.write([_entry("a")])
    with journal._committed():
        assert [row.event_id for row in journal.of("s1")] == ["a"]
