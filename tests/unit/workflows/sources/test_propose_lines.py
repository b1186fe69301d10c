"""Numbers of lines and receipts that returns name are found by name and by what stands there, in any language."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look


def shop(root: Path, line: str, back: str, *, number: bool = True) -> Proposal:
    """Two months of receipts; `number`: the lines of a receipt are told apart by the column `line`."""
    dice, rows = random.Random(4), list[str]()  # noqa: S311
    for receipt in range(400):
        month, day = 1 + receipt // 200, 1 + receipt % 28
        who, lines = f"K{dice.randrange(40):04}", dice.randint(1, 4)
        for n in range(1, lines + 1):
            pieces, named = (-1, f"B-{receipt - 9:05}") if receipt > 20 and receipt % 30 == 0 else (1, "")
            told = n if number else dice.randint(1, 2)
            rows.append(
                f"2024-{month:02}-{day:02};B-{receipt:05};{told};{who};A{dice.randrange(9)};{pieces};2,50;{named}"
            )
    (root / "till").mkdir()
    for month in ("01", "02"):
        some = [row for row in rows if row.startswith(f"2024-{month}")]
        head = f"date;receipt;{line};customer;article;quantity;price;{back}"
        (root / "till" / f"sales_2024-{month}.csv").write_text("\n".join([head, *some, ""]), encoding="utf-8")
    return look(ShopFiles(root / "till"), Said(synthetic=True))


@pytest.mark.parametrize(
    ("line", "back"),
    [
        ("Řádek", "Původní doklad"),
        ("Zeile", "Ursprungsbeleg"),
        ("Pos", "Originalbeleg"),
        ("N° ligne", "Ticket d'origine"),
        ("Línea", "Ticket original"),
        ("Riga", "Scontrino originale"),
        ("Rad", "Ursprungligt kvitto"),
        ("line no", "Original receipt"),
    ],
)
def test_a_number_of_a_line_and_the_receipt_of_a_return_are_found(tmp_path: Path, line: str, back: str) -> None:
    found = shop(tmp_path, line, back)
    sales = found.own["sales"]
    assert {ours: sales["columns"].get(ours) for ours in ("line_id", "returns_of")} == {
        "line_id": line,
        "returns_of": back,
    }
    assert sales["corrections"] == "replace"
    assert sales["reads"] == "csv", "a later file may correct lines of any month"
    assert any(c.what == "corrections" and "replaces the earlier" in c.why for c in found.choices)
    assert sales["legal"]["purposes"]["line_id"] == ["twin_training", "twin_scoring"]


def test_numbers_that_do_not_tell_lines_apart_are_no_numbers_of_lines(tmp_path: Path) -> None:
    sales = shop(tmp_path, "Pos", "Original price", number=False).own["sales"]
    assert "line_id" not in sales["columns"]
    assert "corrections" not in sales
    assert sales["reads"] == "folder"
