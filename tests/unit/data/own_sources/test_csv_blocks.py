"""What Arrow cuts at once is what is found record by record: same rows, same places, same refusals."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from own_world import LEGAL, PROFILES, but, params

from twinops.data.own_sources import reading
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.files import csv_blocks
from twinops.data.own_sources.files.csv_blocks import Blocks

ODD = (
    '7;"a;b";3', '8;"torn;3', "9;x", "10;x;y;z", "", "   ", ";;", "11;\0;3", "12;" + "w" * 5000 + ";3", "13;ü;3",
    '14;"two\nlines";3', "15;x;3;", "\t", '16;"";', "17;a\rb;3", "18;" + "v" * 140_000 + ";3",
)  # fmt: skip


def _found(path: Path, **said: Any) -> tuple[list[dict[str, object]], list[object]]:
    columns = {"household_id": "who", "age": "what", "income": "kind"}
    purposes = dict.fromkeys(columns, ("bias_assessment",))
    source = but(PROFILES, path=path.name, columns=columns, codes={}, legal=LEGAL | {"purposes": purposes}, **said)
    shop, rows, refused = declared(params(shop=source).own, "shop", root=path.parent, max_rows=10**6), [], []
    for cells in reading.cells_of(shop, "all"):
        rows += cells.table.to_pylist()
        refused += cells.refused
    return rows, sorted(refused)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_both_ways_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, encoding: str, separator: str
) -> None:
    path = tmp_path / "x.csv"
    draw = random.Random(f"{end!r}{encoding}{separator}")
    odd = [o.replace(";", separator) for o in ODD]
    for _ in range(6):
        lines = [separator.join(("who", "what", "kind"))]
        for i in range(300):
            lines.append(draw.choice(odd) if draw.random() < 0.02 else separator.join((str(i), "ö" * (i % 3), "x")))
        path.write_bytes((end.join(lines) + end * draw.randrange(2)).encode(encoding))
        said = {"encoding": encoding.removesuffix("-sig"), "separator": separator}
        monkeypatch.setattr(csv_blocks, "BLOCK", draw.choice((64, 700, 2**22)))
        blocks = _found(path, **said)
        with monkeypatch.context() as slow:
            slow.setattr(Blocks, "cut", lambda *_: None)
            assert _found(path, **said) == blocks


def test_a_plain_file_is_cut_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    path.write_text("who;what;kind\n" + "".join(f"{i};a;b\n" for i in range(1000)), encoding="utf-8")
    monkeypatch.setattr(csv_blocks, "BLOCK", 100)
    taken = []
    cut = Blocks.cut
    monkeypatch.setattr(Blocks, "cut", lambda *a: taken.append(found := cut(*a)) or found)
    rows, _ = _found(path)
    assert [r["place"] for r in rows] == list(range(2, 1002))
    assert sum(found[1] for found in taken if found) > 980
