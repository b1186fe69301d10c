"""However the same table is handed in, the same rows are sealed: each way of reading, for each of two kinds."""

from __future__ import annotations

import csv
import gzip
import io
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from make_sheet import write_sheet
from own_world import HEAD, RETAIL, Shop, but, online_retail, params
from people_wrote import COMMENTS

from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.files.parquet import as_text
from twinops.errors import DataError, ParamsError, ServiceError

Rows = list[list[str]]
KINDS: dict[str, tuple[dict[str, Any], list[str], Rows, str]] = {
    "transactions": (
        {k: v for k, v in RETAIL.items() if k not in ("reads", "path")},
        list(HEAD),
        [list(row) for row in online_retail(80)],
        "transactions",
    ),
    "comments": (
        {k: v for k, v in COMMENTS.items() if k not in ("reads", "path", "separator")},
        ["who", "at", "said", "likes"],
        [[f"p{n}", "05.03.2024 08:26", f"The price; of item {n} is too high", str(n % 7)] for n in range(60)],
        "social_comments",
    ),
}  # fmt: skip
SECRET = "s3cr3t-w0rd"


def text(head: list[str], rows: Rows, sign: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=sign, lineterminator="\n").writerows([head, *rows])
    return out.getvalue()


def as_csv(folder: Path, head: list[str], rows: Rows) -> dict[str, Any]:
    (folder / "t.csv").write_text(text(head, rows), encoding="utf-8")
    return {"reads": "csv", "path": "files/t.csv"}


def as_gzip(folder: Path, head: list[str], rows: Rows) -> dict[str, Any]:
    (folder / "t.csv.gz").write_bytes(gzip.compress(text(head, rows).encode()))
    return {"reads": "csv", "path": "files/t.csv.gz"}


def by_sign(sign: str) -> Callable[[Path, list[str], Rows], dict[str, Any]]:
    def write(folder: Path, head: list[str], rows: Rows) -> dict[str, Any]:
        (folder / "t.txt").write_text(text(head, rows, sign), encoding="utf-8")
        return {"reads": "csv", "path": "files/t.txt"}

    return write


def as_utf16(folder: Path, head: list[str], rows: Rows) -> dict[str, Any]:
    (folder / "t.csv").write_text(text(head, rows), encoding="utf-16")
    return {"reads": "csv", "path": "files/t.csv"}


def as_sheet(folder: Path, head: list[str], rows: Rows) -> dict[str, Any]:
    write_sheet(folder / "t.xlsx", [head, *rows])
    return {"reads": "excel", "path": "files/t.xlsx"}


def as_parquet(folder: Path, head: list[str], rows: Rows) -> dict[str, Any]:
    pq.write_table(pa.table(dict(zip(head, zip(*rows, strict=True), strict=True))), folder / "t.parquet")
    return {"reads": "parquet", "path": "files/t.parquet"}


def as_parts(folder: Path, head: list[str], rows: Rows) -> dict[str, Any]:
    (folder / "t").mkdir()
    for n, at in enumerate(range(0, len(rows), 50)):
        (folder / "t" / f"part-{n}.csv").write_text(text(head, rows[at : at + 50]), encoding="utf-8")
    (folder / "t" / "_SUCCESS").write_text("", encoding="utf-8")
    return {"reads": "csv", "path": "files/t"}


def as_database(folder: Path, head: list[str], rows: Rows) -> dict[str, Any]:
    with sqlite3.connect(folder / "t.db") as db:
        db.execute("CREATE TABLE t ({})".format(", ".join(f'"{c}" TEXT' for c in head)))
        db.executemany("INSERT INTO t VALUES ({})".format(", ".join("?" * len(head))), rows)  # noqa: S608
    return {"reads": "sql", "query": "SELECT * FROM t", "url_from": "SHOP_URL"}


WAYS = {
    "csv": as_csv, "gzip": as_gzip, "semicolons": by_sign(";"), "tabs": by_sign("\t"), "bars": by_sign("|"),
    "utf-16": as_utf16, "excel": as_sheet, "parquet": as_parquet, "folder": as_parts, "sql": as_database,
}  # fmt: skip


def shop_of(root: Path, kind: str, way: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Shop, str, str]:
    said, head, rows, source = KINDS[kind]
    (root / "files").mkdir(parents=True)
    place = WAYS[way](root / "files", head, rows)
    monkeypatch.setenv("SHOP_URL", f"sqlite:///{root / 'files' / 't.db'}")
    return Shop(root, shop=said | place), source, "2024-03" if kind == "transactions" else "all"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", [w for w in WAYS if w != "csv"])
def test_the_same_rows_are_sealed_whichever_way_they_come(
    way: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    for name in ("csv", way):
        shop, source, batch = shop_of(tmp_path / name, kind, name, monkeypatch)
        told = shop.collect(source, batch)
        rows = shop.open(source, batch)
        sids = dict(zip(rows["sid"].to_pylist(), range(rows.num_rows), strict=False))
        found[name] = (
            told.taken,
            told.quarantined,
            len(sids),
            sorted(map(str, rows.drop_columns(["sid"]).to_pylist())),
        )
    assert found[way][0] > 0
    assert found[way] == found["csv"]


@pytest.mark.parametrize("query", ["DELETE FROM t", "-- SELECT\nDROP TABLE t", "PRAGMA writable_schema = 1", ""])
def test_a_query_that_does_not_read_is_none(query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, source, batch = shop_of(tmp_path, "comments", "sql", monkeypatch)
    if not query:
        with pytest.raises(ParamsError, match="query"):
            params(shop=but(shop_said(shop), query=query))
        return
    shop.declare(shop=but(shop_said(shop), query=query))
    with pytest.raises(ParamsError, match="does not read"):
        shop.collect(source, batch)


def test_what_hides_a_write_behind_a_read_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, source, batch = shop_of(tmp_path, "comments", "sql", monkeypatch)
    hidden = "WITH x AS (SELECT 1) INSERT INTO t SELECT who, at, said, likes FROM t"
    shop.declare(shop=but(shop_said(shop), query=hidden))
    with pytest.raises(ServiceError, match="the query failed"):
        shop.collect(source, batch)
    with sqlite3.connect(shop.file("t.db")) as db:
        assert db.execute("SELECT COUNT(*) FROM t").fetchone() == (60,)


def shop_said(shop: Shop) -> dict[str, Any]:
    return shop.params.own.root["shop"].model_dump(mode="json", exclude_unset=True)


def test_more_rows_than_allowed_are_not_read_to_their_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, source, batch = shop_of(tmp_path, "comments", "sql", monkeypatch)
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS who, i AS at, i AS said, i AS likes FROM n"
    )
    shop.declare(shop=but(shop_said(shop), query=endless))
    monkeypatch.setattr(
        shop,
        "params",
        shop.params.model_copy(update={"sources": shop.params.sources.model_copy(update={"max_rows": 25_000})}),
    )
    with pytest.raises(DataError, match="max_rows"):
        shop.collect(source, batch)


@pytest.mark.parametrize(
    "address", [f"postgresql://anna:{SECRET}@127.0.0.1:1/shop", f"nonsense://anna:{SECRET}@x/y", SECRET]
)
def test_an_address_with_its_password_is_told_nowhere(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shop, source, batch = shop_of(tmp_path, "comments", "sql", monkeypatch)
    monkeypatch.setenv("SHOP_URL", address)
    with pytest.raises(ServiceError) as told:
        shop.collect(source, batch)
    said = capfd.readouterr()
    assert SECRET not in f"{told.value} {told.value.__cause__} {said.out} {said.err}"
    assert told.value.__suppress_context__


def test_a_number_or_moment_that_stands_on_many_lines_is_the_text_it_is_on_each(tmp_path: Path) -> None:
    source = declared(params(shop=RETAIL).own, "shop", root=tmp_path, max_rows=10)
    numbers = [1.5, None, -0.0, 0.0, float("nan"), 1e300, 2.10, 1.5, -0.0]
    told = [None if n is None else str(n) for n in numbers]
    for kind in (pa.float64(), pa.float32()):
        cells = pa.array([None if n == 1e300 else n for n in numbers], kind)
        as_kind = [None if n is None else str(n) for n in cells.to_pylist()]
        assert as_text(source, "price", cells).to_pylist() == as_kind
        assert as_text(source, "price", cells.slice(2, 5)).to_pylist() == as_kind[2:7]
    assert as_text(source, "price", pa.array(numbers)).to_pylist() == told
    moment = datetime.fromisoformat("2024-03-05T08:26:07.999999")
    local = pa.array([moment, None, moment], pa.timestamp("us"))
    assert as_text(source, "at", local).to_pylist() == ["2024-03-05T08:26:07", None, "2024-03-05T08:26:07"]
    utc = as_text(source, "at", local.cast(pa.timestamp("us", "UTC")))
    assert utc.to_pylist() == ["2024-03-05T08:26:07.999999+00:00", None, "2024-03-05T08:26:07.999999+00:00"]
    assert as_text(source, "price", pa.array([], pa.float64())).to_pylist() == []
