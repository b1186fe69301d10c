"""Lines have numbers: sent twice one is one, corrected it is replaced, and a return is whose the receipt was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from own_world import LEGAL, TWIN, Shop, but, params

from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.look import look
from twinops.data.own_sources.reading import netted, read, standing_of
from twinops.data.own_sources.reading_result import OwnReading
from twinops.data.own_sources.receipts.line_identity import CANCELLED, CANCELS, REPLACED, TWICE, Corrections
from twinops.errors import ParamsError

COLUMNS = {
    "household_id": "card", "basket_id": "receipt", "line_id": "line", "product_id": "article", "quantity": "pieces",
    "sales_value": "paid", "time": "day", "returns_of": "bought on",
}  # fmt: skip
TILL: dict[str, Any] = {
    "kind": "transactions",
    "reads": "csv",
    "path": "files/till",
    "columns": COLUMNS,
    "corrections": "replace",
    "time": {"zone": "Europe/Prague"},
    "money": {"currency": "CZK"},
    "legal": LEGAL | {"purposes": dict.fromkeys(COLUMNS, TWIN)},
}
HEAD = "day,receipt,line,card,article,pieces,paid,bought on\n"
MARCH = """2024-03-05,R1,1,ann,tea,2,4.00,
2024-03-05,R1,2,ann,tea,2,4.00,
2024-03-05,R1,3,ann,salt,1,1.00,
2024-03-06,R2,1,,salt,1,1.00,
2024-03-07,R3,1,bob,tea,1,2.00,
"""


def till(root: Path, there: dict[str, str], **changed: Any) -> OwnReading:
    return read(source(root, there, **changed), "all")


def source(root: Path, there: dict[str, str], **changed: Any) -> Any:
    (root / "files" / "till").mkdir(parents=True, exist_ok=True)
    for name, rows in there.items():
        (root / "files" / "till" / name).write_text(HEAD + rows, encoding="utf-8")
    return declared(params(till=but(TILL, **changed)).own, "till", root=root, max_rows=1_000)


def without(*columns: str) -> dict[str, Any]:
    kept = {ours: theirs for ours, theirs in COLUMNS.items() if ours not in columns}
    return {"columns": kept, "legal": TILL["legal"] | {"purposes": dict.fromkeys(kept, TWIN)}}


def spent(found: OwnReading) -> dict[str, int]:
    told: dict[str, int] = {}
    for who, cents in zip(found.rows["household_id"].to_pylist(), found.rows["sales_value"].to_pylist(), strict=True):
        told[who] = told.get(who, 0) + cents
    return told


def test_lines_that_were_exported_twice_are_one_and_equal_lines_of_other_numbers_stay_both(tmp_path: Path) -> None:
    found = till(tmp_path, {"sales_03.csv": MARCH + MARCH})
    assert spent(found) == {"ann": 900, "bob": 200}
    assert found.left_out == {TWICE: 5}
    assert found.in_file == 10, "each is counted"


def test_a_look_at_a_source_with_line_numbers_counts_lines_sent_twice_and_doubts_no_equal_ones(tmp_path: Path) -> None:
    found = look(source(tmp_path, {"sales_03.csv": MARCH + MARCH}))
    assert (found.left_out, found.repeated) == ({TWICE: 5}, 0)


def test_without_line_numbers_equal_lines_are_two_scans_as_ever(tmp_path: Path) -> None:
    found = till(tmp_path, {"sales_03.csv": MARCH + MARCH}, **without("line_id", "returns_of"), corrections=None)
    assert spent(found) == {"ann": 1800, "bob": 400}
    assert found.left_out == {}


LATE = """2024-03-05,R1,2,ann,tea,1,2.00,
2024-03-05,R1,3,ann,salt,0,0.00,
2024-03-06,R2,1,cid,salt,1,1.00,
2024-03-08,R4,1,bob,salt,3,3.00,
"""


def test_a_later_file_replaces_lines_cancels_those_of_no_pieces_and_brings_others_on_top(tmp_path: Path) -> None:
    files = {"corrections_03.csv": LATE, "sales_03.csv": MARCH, "sales_04.csv": "2024-04-02,R5,1,bob,tea,1,2.00,\n"}
    found = till(tmp_path, files)
    assert spent(found) == {"ann": 600, "bob": 700, "cid": 100}
    assert found.left_out == {REPLACED: 2, CANCELLED: 1, CANCELS: 1}
    (told,) = standing_of(source(tmp_path, {})).corrections
    assert told == Corrections("corrections_03.csv", 2, 1, 1, ("2024-03",))


def test_beside_one_file_of_sales_the_smaller_one_corrects_whatever_it_is_called(tmp_path: Path) -> None:
    for number, name in enumerate(("a_corrections.csv", "z_corrections.csv")):
        found = till(tmp_path / str(number), {name: LATE, "sales.csv": MARCH})
        assert spent(found) == {"ann": 600, "bob": 500, "cid": 100}


def test_a_line_that_is_corrected_to_be_nobodys_is_no_customers_any_more(tmp_path: Path) -> None:
    found = till(tmp_path, {"sales_03.csv": MARCH, "sales_03_again.csv": "2024-03-07,R3,1,,tea,1,2.00,\n"})
    assert spent(found) == {"ann": 900}
    assert found.refused["reason"].to_pylist() == ["household_id_missing"] * 2


def test_where_nobody_said_that_later_lines_replace_both_stand(tmp_path: Path) -> None:
    found = till(tmp_path, {"sales_03.csv": MARCH, "sales_03_again.csv": LATE}, corrections=None)
    assert spent(found)["ann"] == 900 + 200
    assert found.left_out == {}


def test_a_receipt_number_that_is_used_again_later_is_another_receipt(tmp_path: Path) -> None:
    found = till(tmp_path, {"sales_03.csv": MARCH, "sales_04.csv": MARCH.replace("2024-03", "2024-04")})
    assert spent(found) == {"ann": 1800, "bob": 400}


def test_without_a_card_a_return_is_the_customers_of_the_receipt_that_it_names(tmp_path: Path) -> None:
    back = "2024-03-09,R6,1,,tea,-1,-2.00,R1\n2024-03-09,R6,2,,salt,-1,-1.00,r-1\n2024-03-09,R7,1,,tea,-1,-2.00,R0\n"
    found = till(tmp_path, {"sales_03.csv": MARCH + back})
    assert spent(found) == {"ann": 600, "bob": 200}
    assert found.left_out == {"return_netted": 2, "bought_and_sent_back": 1}
    assert found.refused["reason"].to_pylist() == ["household_id_missing"] * 2, "nobody's purchase, and one of nowhere"


def test_a_return_is_set_against_the_receipt_that_it_names_before_later_purchases(tmp_path: Path) -> None:
    later = "2024-03-08,R5,1,ann,salt,1,1.00,\n2024-03-09,R6,1,ann,salt,-1,-1.00,R1\n"
    found = till(tmp_path, {"sales_03.csv": MARCH + later})
    salt = [(str(r["time"].date()), r["sales_value"]) for r in found.rows.to_pylist() if r["sales_value"] == 100]
    assert salt == [("2024-03-08", 100)]


def test_a_customer_of_a_receipt_that_is_later_than_the_return_is_not_meant(tmp_path: Path) -> None:
    found = till(tmp_path, {"sales_03.csv": "2024-03-04,R9,1,,tea,-1,-2.00,R1\n" + MARCH})
    assert spent(found) == {"ann": 900, "bob": 200}


def test_returns_find_their_receipt_in_another_months_file(tmp_path: Path) -> None:
    made = source(
        tmp_path,
        {"2024-03.csv": MARCH + MARCH, "2024-04.csv": "2024-04-02,R6,1,,tea,-1,-2.00,R1\n"},
        reads="folder", files="{month}.csv", corrections=None,
    )  # fmt: skip
    nets = netted(made)
    march, april = (read(made, month, net=nets[month]) for month in ("2024-03", "2024-04"))
    assert spent(march) == {"ann": 700, "bob": 200}
    assert (april.rows.num_rows, april.left_out, april.refused.num_rows) == (0, {"return_netted": 1}, 0)


def test_the_same_files_give_the_same_rows_whatever_was_read_before(tmp_path: Path) -> None:
    files = {"corrections_03.csv": LATE, "sales_03.csv": MARCH}
    first = till(tmp_path / "one", files)
    till(tmp_path / "two", {"sales_03.csv": MARCH})
    found = till(tmp_path / "two", files)
    assert found.rows.equals(first.rows)


def test_whoever_is_erased_takes_along_the_returns_that_never_had_their_number(tmp_path: Path) -> None:
    shop = Shop(tmp_path, till=TILL)
    source(tmp_path, {"sales_03.csv": MARCH + "2024-03-09,R6,1,,tea,-1,-2.00,R1\n"})
    shop.collect(batch="2024-03")
    (ann,) = shop.keys.subject_ids(["ann"])
    held = shop.open().to_pylist()
    assert sum(row["sales_cents"] for row in held if row["sid"] == ann) == 700
    shop.keys.forget(ann)
    found = shop.collect(batch="2024-03")
    assert {row["sid"] for row in shop.open().to_pylist()} == {shop.keys.known_sid("bob")}
    assert found.quarantined == {"household_id_missing": 1}
    assert "R1" not in "".join(shop.aside()["raw"].to_pylist()), "her return is not kept aside either"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (without("line_id"), "corrections: replace needs line_id"),
        (without("basket_id"), "goes with basket_id"),
        ({"reads": "folder", "files": "{month}.csv"}, "does not go with reads: folder"),
    ],
)
def test_what_cannot_be_settled_is_refused_with_what_to_say(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ParamsError, match=why):
        params(till=but(TILL, **changed))
