"""A discount beside a price or an amount: what the file tells of it is found, and what it does not is asked."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look

HEAD = ["cliente", "recibo", "data", "artigo", "qtd", "preco_unit", "desconto"]
Off = Callable[[int, int, int], tuple[int, str]]
"""Line, pieces, cents a piece -> cents that are off the line, and the cell that says so."""


def off(n: int, pieces: int, cents: int) -> tuple[int, str]:
    cut = pieces * cents // 10 if n % 3 else 0
    return cut, comma(cut)


def comma(cents: int) -> str:
    return f"{cents / 100:.2f}".replace(".", ",")


def proposed(root: Path, cell: Off = off, *, head: list[str] = HEAD, total: str = "") -> Proposal:
    dice, at, rows = random.Random(1), datetime.fromisoformat("2024-01-13T09:00"), []  # noqa: S311
    for n in range(600):
        at += timedelta(minutes=dice.randint(30, 1_000))
        who, pieces, cents = f"{70_000 + dice.randrange(40)}", dice.randint(1, 4), dice.randint(90, 9_999)
        cut, said = cell(n, pieces, cents)
        more = {"net": [comma(pieces * cents - cut)], "gross": [comma(pieces * cents)]}.get(total, [])
        moment, article = at.strftime("%Y-%m-%d %H:%M"), f"A{dice.randrange(30)}"
        rows.append([who, f"R{n // 2}", moment, article, str(pieces), comma(cents), said, *more])
    path, names = root / "vendas.csv", [*head, *(["valor"] if total else [])]
    path.write_text("\n".join([*(";".join(row) for row in [names, *rows]), ""]), encoding="utf-8")
    return look(ShopFiles(path), Said(synthetic=True))


def money(found: Proposal) -> tuple[str, str]:
    said = found.own["sales"]["money"]
    return said["discount"], said.get("discount_as", "amount")


def asked(found: Proposal) -> set[str]:
    return {q.about for q in found.questions} & {"discount", "discount_as"}


def test_a_unit_price_is_proposed_to_be_before_the_discount_and_it_is_asked(tmp_path: Path) -> None:
    found = proposed(tmp_path)
    assert money(found) == ("to_take_off", "amount")
    assert asked(found) == {"discount"}
    assert any("before the discount" in note for note in found.notes)


def test_a_total_that_is_the_price_without_the_discount_is_what_was_paid(tmp_path: Path) -> None:
    found = proposed(tmp_path, total="net")
    assert money(found) == ("taken_off", "amount")
    assert found.own["sales"]["columns"]["sales_value"] == "valor"
    assert "unit_price" not in found.own["sales"]["columns"]
    assert not asked(found)


def test_a_total_that_is_price_times_quantity_tells_nothing_and_it_is_asked(tmp_path: Path) -> None:
    found = proposed(tmp_path, total="gross")
    assert money(found) == ("taken_off", "amount")
    assert asked(found) == {"discount"}


@pytest.mark.parametrize(
    ("head", "cell", "written", "asks"),
    [
        ("desconto", lambda n, q, c: (q * c // 10, "10%" if n % 3 else "0%"), "percent", {"discount"}),
        ("desconto_pct", lambda n, q, c: (q * c // 10, "10" if n % 3 else "0"), "percent", {"discount"}),
        ("desconto", lambda n, q, c: (q * c // 10, "0,10" if n % 3 else "0"), "fraction", {"discount", "discount_as"}),
        ("desconto", lambda n, q, c: (0, "25" if n % 3 else "0"), "percent", {"discount"}),
    ],
)
def test_a_share_is_told_from_an_amount_or_asked(
    tmp_path: Path, head: str, cell: Off, written: str, asks: set[str]
) -> None:
    found = proposed(tmp_path, cell, head=[*HEAD[:-1], head])
    assert money(found) == ("to_take_off", written)
    assert asked(found) == asks


def test_a_total_tells_how_the_discount_is_written(tmp_path: Path) -> None:
    piece = proposed(tmp_path, lambda n, q, c: (q * (c // 10), comma(c // 10)), total="net")
    assert money(piece) == ("taken_off", "amount_per_piece")
