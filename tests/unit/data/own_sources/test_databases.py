"""A shop whose files are one SQLite database: its tables are read where they lie, and nothing in it is run."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from proposed_sales import SAID, source, spend

from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.look import look as look_at
from twinops.data.own_sources.proposing.proposal import ShopFiles, look
from twinops.data.own_sources.reading import read
from twinops.errors import DataError

RECEIPTS = 150


def filled(database: sqlite3.Connection, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    some = list(rows)
    database.execute(f"CREATE TABLE {table} ({columns})")
    database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(some[0]))})", some)  # noqa: S608 (ours)


def till(path: Path, *, number: str = "id", names_receipt: str = "receipt_id") -> Path:
    """Receipts with their days and customers, and lines that name their receipt; people in a table of their own."""
    with closing(sqlite3.connect(path)) as database:
        heads = ((n, f"2025-0{1 + n // 25}-{1 + n % 25:02} 10:00:00", f"K{n % 40:05}") for n in range(RECEIPTS))
        lines = ((n, k, f"A{k}", 1 + k % 2, 2.5 * (1 + n % 7)) for n in range(RECEIPTS) for k in range(1 + n % 3))
        people = ((f"K{n:05}", 1950 + n, "f" if n % 2 else "m") for n in range(40))
        filled(database, "receipt", f"{number} INTEGER, sold_at TEXT, customer TEXT", heads)
        filled(
            database, "line", f"{names_receipt} INTEGER, place INTEGER, article TEXT, quantity INT, amount REAL", lines
        )
        filled(database, "people", "customer TEXT, birth_year INTEGER, gender TEXT", people)
        database.commit()
    return path


PAID = sum(2.5 * (1 + n % 7) for n in range(RECEIPTS) for _ in range(1 + n % 3))


def test_a_table_may_be_called_by_a_word_of_sql(tmp_path: Path) -> None:
    path = till(tmp_path / "till.db")
    with closing(sqlite3.connect(path)) as database:
        database.execute('ALTER TABLE receipt RENAME TO "order"')
        database.execute('ALTER TABLE line RENAME COLUMN receipt_id TO "order_id"')
        database.commit()
    assert spend(look(ShopFiles(path), SAID), tmp_path) == PAID


@pytest.mark.parametrize(("number", "names_receipt"), [("id", "receipt_id"), ("receipt_no", "receipt_no")])
def test_the_sales_in_two_tables_are_read_as_one(number: str, names_receipt: str, tmp_path: Path) -> None:
    found = look(ShopFiles(till(tmp_path / "till.db", number=number, names_receipt=names_receipt)), SAID)
    own = found.own["sales"]
    assert (own["reads"], own["columns"]["household_id"], own["columns"]["time"]) == ("sqlite", "customer", "sold_at")
    assert spend(found, tmp_path) == PAID
    looked = look_at(source(found, tmp_path))
    assert (looked.taken, looked.households) == (sum(1 + n % 3 for n in range(RECEIPTS)), 40)


def test_other_tables_are_named_behind_the_file(tmp_path: Path) -> None:
    path = till(tmp_path / "till.db")
    found = look(ShopFiles(path, customers=path.with_name("till.db:people")), SAID)
    assert found.own["customers"]["query"] == 'SELECT * FROM "people"'
    assert set(found.own["customers"]["columns"]) == {"household_id", "birth_year", "gender"}
    with pytest.raises(DataError, match=r"has no table nobody; it has line \(receipt_id"):
        look(ShopFiles(path.with_name("till.db:nobody")), SAID)


def test_a_database_without_sales_tells_its_tables(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop:
        filled(shop, "receipts", "receipt_no TEXT, date TEXT", [("1", "2025-01-01")])
        filled(shop, "rows", "receipt_no TEXT, amount REAL", [("1", 2.5)])
        shop.commit()
    with pytest.raises(DataError, match=r"its tables receipts \(receipt_no, date\); rows \(receipt_no, amount\)"):
        look(ShopFiles(tmp_path / "shop.db"), SAID)


def test_the_same_file_gives_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    found = look(ShopFiles(till(tmp_path / "till.db")), SAID)
    first, again = (read(source(found, tmp_path), WHOLE).rows for _ in range(2))
    assert first.equals(again)


@pytest.mark.parametrize(
    "query",
    [
        "ATTACH 'other.db' AS other",
        "DELETE FROM line",
        "SELECT load_extension('x')",
        "PRAGMA journal_mode = DELETE",
        "SELECT * FROM nowhere",
    ],
)
def test_a_query_that_does_more_than_read_is_refused(query: str, tmp_path: Path) -> None:
    path = till(tmp_path / "till.db")
    before = path.read_bytes()
    known = source(look(ShopFiles(path), SAID), tmp_path)
    asked = replace(known, said=known.said.model_copy(update={"query": query}))
    with pytest.raises(DataError, match="cannot be read as SQLite, or not by this query"):
        read(asked, WHOLE)
    assert path.read_bytes() == before


def test_rows_that_are_not_in_the_file_yet_are_no_loss_in_silence(tmp_path: Path) -> None:
    path = till(tmp_path / "till.db")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("INSERT INTO people VALUES ('K00099', 1990, 'f')")
        database.commit()
        with pytest.raises(DataError, match="is still written to") as told:
            look(ShopFiles(path), SAID)
    assert ".backup copy.db" in str(told.value)


def test_a_database_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = till(tmp_path / "till.db")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match="cannot be read as SQLite"):
        look(ShopFiles(path), SAID)


def test_cells_of_every_type_are_read_or_are_nothing(tmp_path: Path) -> None:
    path = till(tmp_path / "till.db")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE line SET amount = '7,50' WHERE rowid = 1")
        database.execute("UPDATE line SET article = x'ff00' WHERE rowid = 2")
        database.execute("UPDATE receipt SET customer = CAST(x'4bff' AS TEXT) WHERE id = 3")
        database.commit()
    looked = look_at(source(look(ShopFiles(path), SAID), tmp_path))
    assert looked.quarantined == {"product_id_missing": 1}
    assert (looked.records, looked.households) == (sum(1 + n % 3 for n in range(RECEIPTS)), 41)
