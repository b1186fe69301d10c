"""Late corrections replace what they correct, and are told; where nobody said so they are not added in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from arriving import Monthly, month_of
from own_world import RETAIL, TWIN, Line, but, write_csv

from twinops.cli.update import table_of
from twinops.data.arrivals import Arrived

NUMBERED = but(
    RETAIL,
    path="files",
    columns=RETAIL["columns"] | {"line_id": "Description"},
    legal=RETAIL["legal"] | {"purposes": dict.fromkeys([*RETAIL["columns"], "line_id"], TWIN)},
    corrections="replace",
)


def numbered(rows: list[Line]) -> list[Line]:
    """Each line's place on its receipt, where the description stands."""
    seen: dict[str, int] = {}
    out = []
    for row in rows:
        seen[row[0]] = seen.get(row[0], 0) + 1
        out.append((*row[:2], str(seen[row[0]]), *row[3:]))
    return out


def pieces(rows: list[Line], n: int) -> list[Line]:
    return [(*row[:3], str(n), *row[4:]) for row in rows]


@pytest.fixture
def shop(tmp_path: Path) -> Monthly:
    """A folder that is read whole; January and February were taken in."""
    made = Monthly(tmp_path, ["all"], whole=True, columns=NUMBERED)
    for month in ("01", "02"):
        write_csv(made.file(f"sales-2024-{month}.csv"), numbered(month_of(f"2024-{month}")))
    made.take()
    return made


def late(shop: Monthly) -> None:
    """Thirty lines of January with other pieces, twenty cancelled, and twelve receipts that were not held."""
    rows = numbered(month_of("2024-01"))
    new = numbered([("9" + row[0], *row[1:]) for row in month_of("2024-01")[:24]])
    write_csv(shop.file("corrections-2024-01.csv"), [*pieces(rows[:30], 9), *pieces(rows[40:60], 0), *new])


def total(shop: Monthly) -> int:
    return sum(shop.open(batch="all")["quantity"].to_pylist())


def test_a_delivery_of_corrections_replaces_and_cancels_and_the_counts_are_told(shop: Monthly) -> None:
    before, rows = total(shop), numbered(month_of("2024-01"))
    late(shop)
    seen = shop.look()
    assert [(a.period, a.what) for a in seen.arrivals] == [("2024-01", Arrived.CORRECTED)]
    assert "corrections-2024-01.csv: 30 lines replaced, 20 cancelled, 24 new" in table_of(seen)
    assert seen.to_dict()["corrections"][0]["replaced"] == 30
    shop.take()
    gone = sum(int(row[3]) for row in (*rows[:30], *rows[40:60]))
    assert total(shop) == before - gone + 30 * 9 + sum(int(row[3]) for row in rows[:24])
    assert shop.look().arrivals == ()
    assert "corrections" not in shop.look().to_dict(), "what was taken in is not told again"


@pytest.mark.parametrize("by", ["number, and nobody said what comes again", "no number"])
def test_lines_on_receipts_that_are_held_are_refused_with_what_to_say(shop: Monthly, by: str) -> None:
    columns = NUMBERED["columns"] if by.startswith("number") else RETAIL["columns"]
    undecided = but(NUMBERED, columns=columns, corrections=None)
    undecided["legal"]["purposes"] = dict.fromkeys(columns, TWIN)
    shop.declare(retail=undecided)
    late(shop)
    (found,) = shop.look().refused
    assert found.what is Arrived.ONTO
    assert "corrections: replace" in found.note
    assert ("line_id" in found.note) == (by == "no number")
    accepted = shop.look(accepted={"2024-01": "the owner"}).arrivals
    assert [a.what for a in accepted] == [Arrived.LATE]
    shop.declare(retail=NUMBERED)
    assert [a.what for a in shop.look().arrivals] == [Arrived.CORRECTED], "what was said to do works"


def test_who_said_that_such_lines_come_on_top_is_not_asked_again(shop: Monthly) -> None:
    shop.declare(retail=but(NUMBERED, corrections="add"))
    late(shop)
    assert [a.what for a in shop.look().arrivals] == [Arrived.LATE]


def test_late_receipts_that_were_not_held_are_taken_in_as_ever(shop: Monthly) -> None:
    shop.declare(retail=but(NUMBERED, corrections=None))
    rows = [("9" + row[0], *row[1:]) for row in month_of("2024-01")[:24]]
    write_csv(shop.file("late-2024-01.csv"), numbered(rows))
    assert [a.what for a in shop.look().arrivals] == [Arrived.LATE]
