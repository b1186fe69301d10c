"""Small files with a feature that real exports have, each with what becomes of it: nothing lost, nothing silent.

Those in `cases/` failed strangers; the others are made here, of the same kinds. Every row is invented.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from candidate import ROOT
from own_world import CONSENT, LEGAL, PROFILES, RETAIL, TWIN, Shop, but

from twinops.data.own_sources import look as looking
from twinops.data.own_sources.cell_values import WORDS
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.look import SourceLook, look
from twinops.data.own_sources.reading import read
from twinops.errors import DataError

CASES = Path(__file__).parent / "cases"
HEAD = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID"
ROW = "5000,A0,lamp,6,2017-03-01 08:26:00,2.55,900"
COLUMNS = {
    "household_id": "Customer ID",
    "basket_id": "Invoice",
    "product_id": "StockCode",
    "quantity": "Quantity",
    "unit_price": "Price",
    "time": "InvoiceDate",
}


def sales(**changed: Any) -> dict[str, Any]:
    """The declaration of the columns above, or of others."""
    columns = changed.pop("columns", COLUMNS)
    said = but(
        RETAIL,
        columns=columns,
        time={"zone": "Europe/London"},
        legal=LEGAL | {"purposes": dict.fromkeys(columns, TWIN)},
    )
    return said | changed


def consent(**changed: Any) -> dict[str, Any]:
    columns = changed.pop("columns", CONSENT["columns"])
    asked = changed.pop("answers", {})
    said = but(CONSENT, columns=columns, codes={}, legal=LEGAL | {"purposes": dict.fromkeys(columns, TWIN)})
    return said | ({"answers": asked, "constants": {}} if asked else {}) | changed


SIMPLE = {"household_id": "id", "time": "date", "sales_value": "value"}
PLAIN = {
    "household_id": "user_id",
    "time": "timestamp",
    "purpose": "purpose",
    "event": "status",
    "notice_version": "policy",
}


@dataclass(frozen=True)
class Case:
    """A file (of `cases/`, or made), its declaration, and what becomes of its records."""

    name: str
    file: str | bytes | Callable[[Path], None]
    said: dict[str, Any]
    taken: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    households: int | None = None
    refused: str = ""
    sum: int | None = None
    """Of the sealed amounts, in minor units."""


def lines(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *rows, ""]).encode()


def value(cell: str) -> bytes:
    return lines(f'1,2017-03-01,"{cell}"', head="id,date,value")


def at(*cells: str) -> bytes:
    return lines(*(f"1,{cell},10" for cell in cells), head="id,date,value")


def who(cell: str) -> bytes:
    return lines(f"{cell},2017-03-01,10", "7,2017-03-01,10", head="id,date,value")


def simple(**changed: Any) -> dict[str, Any]:
    return sales(columns=SIMPLE, **changed)


def euro(decimal: str = ",", thousands: str = ".", currency: str = "EUR") -> dict[str, Any]:
    return {"money": {"currency": currency, "decimal": decimal, "thousands": thousands}}


def as_parquet(**columns: pa.Array) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        pq.write_table(pa.table(columns), path)

    return write


def as_parts(path: Path) -> None:
    """As Spark writes a table in two parts, with its marks beside them."""
    path.mkdir()
    table = pa.table({"id": ["1", "2"], "date": ["2017-03-01"] * 2, "value": ["10", "20"]})
    for part in range(2):
        pq.write_table(table, path / f"part-{part:05}.snappy.parquet")
    (path / "_SUCCESS").touch()
    (path / ".part-00000.crc").write_bytes(b"x")


def as_gzip_parts(path: Path) -> None:
    path.mkdir()
    for part in range(2):
        (path / f"part-{part}.csv.gz").write_bytes(gzip.compress(at("2017-03-01", "2017-02-30")))


def as_sheet(*rows: list[Any]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from make_sheet import write_sheet

        write_sheet(path, rows)

    return write


BACK = "5001,A0,lamp,-2,2017-03-05 08:26:00,2.55,900"
FLOATS = pa.array([4.51234567890123e15 + i for i in range(3)])
SHIPPED = [
    Case("02_excel_sci_ids.csv", "02_excel_sci_ids.csv", sales(), quarantined={"household_id_unreadable": 24}),
    Case("04_sep_line.csv", "04_sep_line.csv", sales(), taken=24, households=8),
    Case("05_trailing_columns.csv", "05_trailing_columns.csv", sales(), taken=24),
    Case("06_trailing_comma_rows.csv", "06_trailing_comma_rows.csv", sales(), taken=24),
    Case("07_duplicate_unused_header.csv", "07_duplicate_unused_header.csv", sales(), taken=24),
    Case("08_latin1_unused_column.csv", "08_latin1_unused_column.csv", sales(), taken=2_000),
    Case("09_nbsp_thousands.csv", "09_nbsp_thousands.csv", sales(**euro(thousands=" ")), taken=24, sum=24 * 123_450),
    Case(
        "10_negative_discount.csv",
        "10_negative_discount.csv",
        sales(
            columns={"household_id": "hh", "basket_id": "basket", "time": "day", "sales_value": "amount"}
            | {"retail_disc": "disc"}
        ),
        taken=24,
    ),
    Case(
        "11_epoch_ms_consent.csv",
        "11_epoch_ms_consent.csv",
        consent(columns=PLAIN, constants={"basis": "consent"}, time={"format": "epoch_ms", "zone": "UTC"}),
        taken=24,
    ),
    Case("12_same_day_same_amount.csv", "12_same_day_same_amount.csv", simple(), taken=24),
    Case(
        "12 declared to be one line twice",
        "12_same_day_same_amount.csv",
        simple(repeated="drop"),
        taken=12,
        quarantined={"duplicate_row": 12},
    ),
    Case(
        "13_blank_separated.txt",
        "13_blank_separated.txt",
        sales(columns=SIMPLE | {"quantity": "n"}, time={"format": "%Y%m%d", "zone": "UTC"}),
        taken=24,
        households=8,
    ),
    Case("14_weights.csv", "14_weights.csv", sales(), taken=24, sum=24 * 116),
    Case(
        "15_wide_consent.csv",
        "15_wide_consent.csv",
        consent(
            columns={"household_id": "user_id", "time": "timestamp"},
            answers={"twin_training": "analytics", "twin_scoring": "analytics", "offers": "marketing"},
        ),
        taken=72,
    ),
    Case(
        "17_float_ids_over_2p53.parquet",
        "17_float_ids_over_2p53.parquet",
        sales(columns={k: v for k, v in COLUMNS.items() if k != "product_id"}, reads="parquet"),
        refused="floating numbers beyond 2\\^53",
    ),
    Case("18_directory.csv", "18_directory.csv", sales(), taken=18, quarantined={"household_id_missing": 6}),
]
MADE = [
    Case(
        "words for nothing are nobody's ids",
        lines(
            *(f"{w},2017-03-01,10" for w in ("null", "NaN", "n/a", "-", "none", "Unknown", "#N/A", "", "unbekannt")),
            head="id,date,value",
        ),
        simple(),
        quarantined={"household_id_missing": 9},
    ),
    Case("an id that is a float of a whole number", who("17850.0"), simple(), taken=2, households=2),
    Case(
        "a float beyond 2^53 as text",
        who("4512345678901234567.0"),
        simple(),
        taken=1,
        quarantined={"household_id_unreadable": 1},
    ),
    Case("a code with a letter E is an id", who("12E4"), simple(), taken=2, households=2),
    Case("a Java exponent", who("4.51234E15"), simple(), taken=1, quarantined={"household_id_unreadable": 1}),
    Case(
        "an exponent with a decimal comma",
        who('"4,51234E+15"'),
        simple(),
        taken=1,
        quarantined={"household_id_unreadable": 1},
    ),
    Case(
        "an exponent as receipt",
        lines(ROW.replace("5000", "5.3E+09")),
        sales(),
        quarantined={"basket_id_unreadable": 1},
    ),
    Case("a BOM", b"\xef\xbb\xbf" + lines(ROW), sales(), taken=1),
    Case("UTF-16 with its mark", lines(ROW).decode().encode("utf-16"), sales(), taken=1),
    Case("a BOM before a sep line", b"\xef\xbb\xbfsep=;\r\n" + lines(ROW).replace(b",", b";"), sales(), taken=1),
    Case("a quoted sep line", b'"sep=;"\n' + lines(ROW).replace(b",", b";"), sales(), taken=1),
    Case("old Mac line ends", lines(ROW, ROW).replace(b"\n", b"\r"), sales(), taken=2),
    Case("no line end after the last record", lines(ROW)[:-1], sales(), taken=1),
    Case("empty lines between records", lines(ROW, "", " ", ROW), sales(), taken=2),
    Case(
        "blanks around names and cells",
        lines(ROW.replace(",", " , "), head=HEAD.replace(",", " ; ")).replace(b" , ", b" ; "),
        sales(),
        taken=1,
    ),
    Case("a used header name twice", lines(f"{ROW},901", head=f"{HEAD},Customer ID"), sales(), refused="stands twice"),
    Case(
        "no names of columns", lines("K1,2024-03-05,7.50", head="K2,2024-03-05,5.00"), simple(), refused="like a record"
    ),
    Case("a lost column", lines("1,2", head="id,date"), simple(), refused="there is no column value"),
    Case("cells beyond the header", lines(f"{ROW},x"), sales(), quarantined={"wrong_field_count": 1}),
    Case("a record cut short", lines(ROW, "5000,A0"), sales(), taken=1, quarantined={"wrong_field_count": 1}),
    Case("a NUL in a column that is not read", lines(ROW.replace("lamp", "la\0mp")), sales(), taken=1),
    Case(
        "a byte that is no text in a column that is read",
        lines(ROW).replace(b"A0", b"A\xff"),
        sales(),
        quarantined={"not_utf8": 1},
    ),
    Case("a quoted cell over two lines", lines(ROW.replace("lamp", '"la\nmp"')), sales(), taken=1),
    Case("gzip", gzip.compress(lines(ROW)), sales(), taken=1),
    Case("a gzip cut short", gzip.compress(lines(*[ROW] * 50))[:-9], sales(), refused="no whole gzip"),
    Case(
        "gzip beyond its bound",
        gzip.compress(lines(*[ROW] * 500)),
        sales(max_bytes=5_000),
        refused="max_bytes is 5,000",
    ),
    Case(
        "blanks, no header, a plain number a column",
        b" 00001 20170101  1   11.77\n 00002 20170112  5   77.00\n",
        sales(
            columns={"household_id": "1", "time": "2", "quantity": "3", "sales_value": "4"},
            header=False,
            separator=" ",
            time={"format": "%Y%m%d", "zone": "UTC"},
        ),
        taken=2,
        sum=8877,
    ),
    Case("tabs among blanks", b"id\tdate  value\n1 \t2017-03-01\t 10\n", simple(separator=" "), taken=1),
    Case(
        "commas without a header",
        b"1,2017-03-01,10\n",
        sales(columns={"household_id": "1", "time": "2", "sales_value": "3"}, header=False),
        taken=1,
    ),
    Case("pipes", at("2017-03-01").replace(b",", b"|"), simple(), taken=1),
    Case("seconds since 1970", at("1488356760"), simple(time={"format": "epoch", "zone": "UTC"}), taken=1),
    Case(
        "seconds since 1970 with a fraction",
        at("1488356760.25"),
        simple(time={"format": "epoch", "zone": "UTC"}),
        taken=1,
    ),
    Case(
        "milliseconds that are none",
        at("148835676012345678"),
        simple(time={"format": "epoch_ms", "zone": "UTC"}),
        quarantined={"time_unreadable": 1},
    ),
    Case(
        "changing UTC offsets in ISO",
        at(
            "2017-03-01T10:00:00+01:00",
            "2017-06-01T10:00:00+0200",
            "2017-03-01T10:00:00Z",
            "2017-03-01 10:00:00 UTC",
            "2017-03-01T10:00:00.123-05",
        ),
        simple(),
        taken=5,
    ),
    Case(
        "changing UTC offsets in letters",
        at("01/Mar/2017:10:00:00 +0100", "01/Jun/2017:10:00:00 +0200"),
        simple(time={"format": "%d/%b/%Y:%H:%M:%S %z", "zone": "UTC"}),
        taken=2,
    ),
    Case("a day that is none", at("2017-02-30", "2017-02-28"), simple(), taken=1, quarantined={"time_unreadable": 1}),
    Case(
        "a discount of either sign",
        lines("1,2017-03-01,10,-2", "1,2017-03-01,10,2", head="id,date,value,disc"),
        sales(columns=SIMPLE | {"coupon_disc": "disc"}),
        taken=2,
    ),
    Case("thousands and decimal comma", value("1.234,50"), simple(**euro()), taken=1, sum=123_450),
    Case(
        "thousands in the wrong place", value("12.34,50"), simple(**euro()), quarantined={"sales_value_unreadable": 1}
    ),
    Case("an apostrophe of Switzerland", value("1’234.50"), simple(**euro(".", "'", "CHF")), taken=1, sum=123_450),
    Case("a currency sign", value("€ 12,50"), simple(**euro()), taken=1, sum=1_250),
    Case("another currency's sign", value("$ 12,50"), simple(**euro()), quarantined={"sales_value_unreadable": 1}),
    Case(
        "a currency without minor units",
        value("1200"),
        simple(money={"currency": "JPY", "minor_units": 0}),
        taken=1,
        sum=120_000,  # hundredths of a yen, as of any currency
    ),
    Case(
        "weights with a comma",
        lines('1,2017-03-01,"0,455","10,00"', head="id,date,n,price"),
        sales(columns={"household_id": "id", "time": "date", "quantity": "n", "unit_price": "price"}, **euro()),
        taken=1,
        sum=455,
    ),
    Case(
        "a return is taken off its purchase",
        lines(ROW, BACK),
        sales(),
        taken=1,
        left_out={"return_netted": 1},
        sum=1020,
    ),
    Case(
        "who sent everything back bought nothing",
        lines(ROW, BACK.replace("-2", "-6")),
        sales(),
        left_out={"return_netted": 1, "bought_and_sent_back": 1},
    ),
    Case(
        "a return without its purchase",
        lines(ROW, BACK.replace("A0", "B7")),
        sales(),
        taken=1,
        left_out={"return_without_purchase": 1},
        sum=1530,
    ),
    Case(
        "more came back than was bought",
        lines(ROW, BACK.replace("-2", "-8")),
        sales(),
        left_out={"return_netted_in_part": 1, "bought_and_sent_back": 1},
    ),
    Case(
        "a return before the purchase",
        lines(ROW, BACK.replace("03-05", "02-05")),
        sales(),
        taken=1,
        left_out={"return_without_purchase": 1},
        sum=1530,
    ),
    Case(
        "a cancelled receipt with positive pieces",
        lines(ROW, BACK.replace("5001", "C5000").replace("-2", "2")),
        sales(cancelled="C"),
        taken=1,
        left_out={"return_netted": 1},
        sum=1020,
    ),
    Case(
        "an accountant's minus",
        lines("1,2017-03-01,10", "1,2017-03-02,(4.00)", "1,2017-03-03,1.00-", head="id,date,value"),
        simple(),
        taken=1,
        left_out={"return_netted": 2},
        sum=500,
    ),
    Case(
        "a voucher as a line of its own",
        lines("7,A,10,1,2017-03-01", "7,V,-3,1,2017-03-01", head="r,p,value,id,date"),
        sales(columns=SIMPLE | {"basket_id": "r", "product_id": "p"}),
        taken=1,
        left_out={"return_netted": 1},
        sum=700,
    ),
    Case(
        "profiles keep unknown answers and lose unreadable ones",
        lines("1,w,1980", "2,divers,?", f"3,{'x' * 99},12.5.1990", "4,n/a,n/a", head="id,sex,born"),
        but(
            PROFILES,
            columns={"household_id": "id", "gender": "sex", "birth_year": "born"},
            codes={},
            ages_in=2024,
            legal=LEGAL | {"purposes": dict.fromkeys(("household_id", "gender", "birth_year"), ("bias_assessment",))},
        ),
        taken=4,
        lost={"gender_unreadable": 1},
    ),
    Case(
        "opt-ins without a day hold from the day of the export",
        lines("1,ja", "2,nein", "3,", head="id,ok"),
        consent(columns={"household_id": "id"}, answers={"twin_training": "ok"}, time=None, undated_from="2024-02-28"),
        taken=2,
        left_out={"no_answer": 1},
    ),
    Case(
        "an answer nobody understands",
        lines("1,vielleicht,2024-01-05", head="id,ok,at"),
        consent(columns={"household_id": "id", "time": "at"}, answers={"offers": "ok"}),
        taken=1,
        lost={"unknown_answer_taken_for_no": 1},
    ),
    Case(
        "a list of objections",
        lines("1", "2", "n/a", head="id"),
        but(
            CONSENT,
            kind="optouts",
            columns={"household_id": "id"},
            constants=None,
            codes=None,
            time=None,
            legal=LEGAL | {"purposes": {"household_id": TWIN}},
        ),
        taken=8,
        quarantined={"household_id_missing": 4},
    ),
    Case(
        "opted out: yes or no",
        lines("1,ja", "2,nein", "3,??", head="id,out"),
        but(
            CONSENT,
            kind="optouts",
            columns={"household_id": "id", "event": "out"},
            constants={"purpose": "offers"},
            codes=None,
            time=None,
            legal=LEGAL | {"purposes": dict.fromkeys(("household_id", "event"), TWIN)},
        ),
        taken=2,
        left_out={"no_objection": 1},
    ),
    Case("parts of Parquet as Spark writes them", as_parts, simple(reads="parquet"), taken=4, sum=6000),
    Case("parts of gzip with a mistake each", as_gzip_parts, simple(), taken=2, quarantined={"time_unreadable": 2}),
    Case("a folder without parts", lambda path: path.mkdir(), simple(), refused="holds no file"),
    Case(
        "Parquet with small float ids and a missing one",
        as_parquet(id=pa.array([1.0, None]), date=["2017-03-01"] * 2, value=[1.5, 2.0]),
        simple(reads="parquet"),
        taken=1,
        quarantined={"household_id_missing": 1},
        sum=150,
    ),
    Case(
        "Parquet with float receipts beyond 2^53",
        as_parquet(id=["1"] * 3, r=FLOATS * 2, date=["2017-03-01"] * 3, value=[1.5] * 3),
        sales(columns=SIMPLE | {"basket_id": "r"}, reads="parquet"),
        refused="beyond 2\\^53",
    ),
    Case(
        "Parquet with a dictionary, dates and booleans",
        as_parquet(
            id=pa.array(["a", "b"]).dictionary_encode(), date=pa.array([date(2017, 3, 1)] * 2), value=pa.array([1, 2])
        ),
        simple(reads="parquet"),
        taken=2,
    ),
    Case(
        "a spreadsheet",
        as_sheet(
            ["id", "date", "value", "note"],
            [17850.0, datetime.fromisoformat("2017-03-01T10:00"), 2.5, "x"],
            ["C7", datetime.fromisoformat("2017-03-02"), 1, ""],
            [None, datetime.fromisoformat("2017-03-02"), 1, ""],
        ),
        simple(reads="excel"),
        taken=2,
        quarantined={"household_id_missing": 1},
        sum=350,
    ),
    Case(
        "a spreadsheet that rounded ids",
        as_sheet(["id", "date", "value"], [4.51234567890123e15, datetime.fromisoformat("2017-03-01"), 1]),
        simple(reads="excel"),
        refused="fifteen digits",
    ),
    Case("a text called .xlsx", lines(ROW), sales(reads="excel"), refused="no spreadsheet"),
    Case("nothing but a header", lines(), sales()),
    Case("nothing at all", b"", sales(), refused="no header"),
]


def lay(given: Path, path: Path) -> None:
    if given.is_dir():
        shutil.copytree(given, path)
    else:
        path.write_bytes(given.read_bytes())


def shop_of(case: Case, root: Path) -> Shop:
    suffix = Path(case.file).suffix if isinstance(case.file, str) else ".any"
    said = case.said | {"path": f"files/given{suffix}"}
    shop = Shop(root, given={k: v for k, v in said.items() if v is not None})
    path = shop.file(f"given{suffix}")
    if isinstance(case.file, str):
        lay(CASES / case.file, path)
    elif isinstance(case.file, bytes):
        path.write_bytes(case.file)
    else:
        case.file(path)
    return shop


def seen(shop: Shop) -> SourceLook:
    return look(declared(shop.params.own, "given", root=shop.places.root, max_rows=10_000))


@pytest.mark.parametrize("case", [*SHIPPED, *MADE], ids=lambda c: c.name)
def test_every_record_of_an_awkward_file_is_accounted_for(case: Case, tmp_path: Path) -> None:
    shop = shop_of(case, tmp_path)
    if case.refused:
        with pytest.raises(DataError, match=case.refused) as told:
            seen(shop)
        assert (told.value.exit_code, bool(told.value.hint)) == (3, True)
        return
    found = seen(shop)
    assert (found.taken, found.quarantined, found.left_out) == (case.taken, case.quarantined, case.left_out)
    assert found.records == found.taken + sum(found.quarantined.values()) + sum(found.left_out.values())
    assert found.lost == case.lost
    assert case.households in (None, found.households)
    assert {m.reason for m in found.mistakes} == set(found.quarantined)
    if case.sum is not None:
        taken = read(declared(shop.params.own, "given", root=shop.places.root, max_rows=10_000), "all").rows
        assert sum(taken["sales_value"].to_pylist()) == case.sum


def test_equal_lines_are_as_many_when_some_are_compared_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_of(Case("twice", "12_same_day_same_amount.csv", simple(), taken=24), tmp_path)
    whole = seen(shop)
    monkeypatch.setattr(looking, "AT_ONCE", 5)
    assert (seen(shop), whole.repeated) == (whole, 12)


def test_there_are_sixty_of_them() -> None:
    assert len(SHIPPED) + len(MADE) >= 60


def test_every_word_for_yes_and_no_stands_in_the_docs() -> None:
    told = (ROOT / "docs/own_sources.md").read_text(encoding="utf-8").split()
    assert [word for word in WORDS if word not in told] == []
