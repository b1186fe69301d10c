"""A figure is taken as it is remembered only under the same things, the same code and this project's own key."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from twinops.data import remembered
from twinops.data.remembered import Figures, Remembered, by_day, digest_of

ABOUT = ("a day", 337, "of these rows")
KEY = b"k" * 32


def asked(path: Path, *about: object, key: bytes = KEY, gives: Figures | None = None) -> tuple[Figures, bool]:
    """What is told in a run of its own that keeps it, and whether it was made for that."""
    made: list[bool] = []

    def make() -> Figures:
        made.append(True)
        return gives or [[0.1, 2.0]]

    remember = Remembered(path, key)
    found = remember(about or ABOUT, make)
    remember.keep()
    return found, bool(made)


def test_it_is_made_once_and_again_where_anything_it_follows_from_is_another(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "drift.json"
    assert asked(path) == ([[0.1, 2.0]], True)
    assert asked(path) == ([[0.1, 2.0]], False)
    assert asked(path, "a day", 337, "of other rows")[1]
    assert asked(path)[1], "what the last run did not ask for is forgotten"


@pytest.mark.parametrize("wrong", ["figures", "seal", "all", "other key"])
def test_what_another_hand_wrote_is_not_believed(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "drift.json"
    asked(path)
    told = json.loads(path.read_text(encoding="utf-8"))
    if wrong == "figures":
        told["figures"] = told["figures"].replace("0.1", "0.2")
    elif wrong == "seal":
        told["seal"] = "0" * 64
    path.write_text("{" if wrong == "all" else json.dumps(told), encoding="utf-8")
    assert asked(path, key=b"j" * 32 if wrong == "other key" else KEY) == ([[0.1, 2.0]], True)


def test_other_code_or_another_library_makes_it_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "drift.json"
    asked(path)
    for name, other in (("code_state", lambda: "other code"), ("version", lambda _: "0.0")):
        monkeypatch.setattr(remembered, name, other)
        assert asked(path)[1]


def test_what_is_no_number_is_made_each_time(tmp_path: Path) -> None:
    path = tmp_path / "drift.json"
    assert asked(path, gives=[[float("nan")]])[1]
    assert asked(path, gives=[[float("nan")]])[1]


def test_rows_are_told_apart_by_their_values_and_not_by_what_lies_beside_them() -> None:
    rows = pa.table({"day": [2, 1, 2, 1], "sid": ["a", "a", "b", "b"], "cents": [5, None, 7, 8]})
    days = by_day(rows, ["sid", "cents"], day="day")
    assert {day: of["sid"].to_pylist() for day, of in days.items()} == {1: ["a", "b"], 2: ["a", "b"]}
    alone = by_day(rows.filter(pa.array([True, False, True, False])), ["sid", "cents"], day="day")
    assert digest_of(alone[2]) == digest_of(days[2])
    assert digest_of(days[1]) != digest_of(days[2])
    none = pa.chunked_array([days[1]["cents"].fill_null(0).combine_chunks()])
    assert digest_of(days[1]) != digest_of(days[1].set_column(2, "cents", none)), "nothing is not zero"
