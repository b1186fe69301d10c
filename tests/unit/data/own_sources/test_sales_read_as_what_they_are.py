"""Sales of shops that nobody has seen: totals, kinds of rows, currencies, titles, folders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from make_sheet import write_sheet
from proposed_sales import SAID, Row, source, spend, written

from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.look import look as look_at
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import ShopFiles, look
from twinops.data.own_sources.proposing.sales_columns import _named
from twinops.data.own_sources.reading import read
from twinops.data.own_sources.recognising import words
from twinops.errors import DataError, ParamsError
from twinops.own_sections import TimeParams


def lines(of: int = 150) -> list[tuple[int, Row]]:
    """One to four lines a receipt of forty people; each with its number on the receipt."""
    return [
        (k, {"Date": f"2025-0{1 + n // 20}-{1 + n % 20:02}", "Order ID": 5000 + n, "Customer": f"C{n % 40}"})
        for n in range(of)
        for k in range(1 + n % 4)
    ]


def price(row: Row, k: int) -> float:
    return 5.5 + (row["Order ID"] % 7) * (k + 1)


def with_totals(*, item: bool) -> tuple[list[Row], float]:
    """Each line with its receipt's total, freight on top; and what the lines cost after a tenth was taken off."""
    rows = [
        row | {"Order Total": "", "Item Subtotal": f"{price(row, k):.2f}", "Item Total": f"{price(row, k) * 0.9:.2f}"}
        for k, row in lines()
    ]
    paid = {}
    for row in rows:
        paid[row["Order ID"]] = paid.get(row["Order ID"], 4.9) + float(row["Item Total"])
    for row in rows:
        row["Order Total"] = f"{paid[row['Order ID']]:.2f}"
    total = sum(float(row["Item Total"]) for row in rows)
    kept = [row if item else {k: v for k, v in row.items() if "Item" not in k} for row in rows]
    return kept, round(total, 2)


def test_the_total_of_a_receipt_on_each_of_its_lines_is_no_lines_amount(tmp_path: Path) -> None:
    rows, total = with_totals(item=True)
    found = look(ShopFiles(written(tmp_path / "orders.csv", rows)), SAID)
    assert found.own["sales"]["columns"]["sales_value"] == "Item Total"
    assert spend(found, tmp_path) == pytest.approx(total, abs=0.01)
    assert any("Order Total is the receipt's total on each of its lines" in note for note in found.notes)


def test_where_a_receipts_total_is_all_there_is_the_file_is_refused(tmp_path: Path) -> None:
    rows, _ = with_totals(item=False)
    with pytest.raises(DataError, match=r"Order Total is the receipt's total .* Hand over one line a receipt"):
        look(ShopFiles(written(tmp_path / "orders.csv", rows)), SAID)


def test_a_total_that_only_the_price_of_a_piece_adds_up_to_gives_way_to_price_and_pieces(tmp_path: Path) -> None:
    rows = [row | {"Qty": 1 + k % 3, "Cost": f"{price(row, k):.2f}"} for k, row in lines()]
    paid: dict[int, float] = {}
    for row in rows:
        paid[row["Order ID"]] = paid.get(row["Order ID"], 0.0) + row["Qty"] * float(row["Cost"])
    rows = [row | {"Total": f"{paid[row['Order ID']]:.2f}"} for row in rows]
    found = look(ShopFiles(written(tmp_path / "orders.csv", rows)), SAID)
    assert found.own["sales"]["columns"]["unit_price"] == "Cost"
    assert spend(found, tmp_path) == pytest.approx(sum(paid.values()), abs=0.01)


def test_a_shop_with_one_price_has_amounts_of_lines(tmp_path: Path) -> None:
    rows = [row | {"Amount": "5.50"} for _, row in lines()]
    found = look(ShopFiles(written(tmp_path / "sales.csv", rows)), SAID)
    assert spend(found, tmp_path) == pytest.approx(5.5 * len(rows))


def test_seats_of_one_price_on_each_receipt_are_amounts_of_lines(tmp_path: Path) -> None:
    rows = [row | {"Amount": f"{10 + row['Order ID'] * 7 % 11}.50"} for _, row in lines()]
    found = look(ShopFiles(written(tmp_path / "seats.csv", rows)), SAID)
    assert spend(found, tmp_path) == pytest.approx(sum(float(row["Amount"]) for row in rows))


def test_a_discount_of_the_whole_receipt_goes_off_no_line(tmp_path: Path) -> None:
    rows = [
        row | {"Qty": 1, "Price": f"{price(row, k):.2f}", "Discount": f"{row['Order ID'] % 37}.15"}
        for k, row in lines()
    ]
    found = look(ShopFiles(written(tmp_path / "orders.csv", rows)), SAID)
    assert "retail_disc" not in found.own["sales"]["columns"]
    assert spend(found, tmp_path) == pytest.approx(sum(float(row["Price"]) for row in rows))


UNSAID = Said(synthetic=True, zone="UTC")


def jeweller(rows: int = 240) -> list[Row]:
    """Goods, the tax on them, a stamp, repairs and deposits; some cancelled; a sixth in euros."""
    kinds = ("ART", "TVA", "TIM", "SRV", "ACP", "RAP")
    return [
        {"Date": f"2025-0{1 + n // 40}-{1 + n % 20:02}", "N° pièce": f"FA{n:05}", "Lg": k + 1,
         "N° client": f"{1 + n % 40:06}",
         "Article": f"A{n % 30}", "Type": kind, "Qté": -1 if kind == "RAP" else 1,
         "Montant": "-5.500" if kind == "RAP" else "10.500", "Devise": "TND" if n % 6 else "EUR",
         "Statut": "Validée" if n % 24 else "Annulée"}
        for n in range(rows) for k, kind in enumerate(kinds[: 2 + n % 5])
    ]  # fmt: skip


def test_taxes_stamps_and_deposits_are_no_purchases_and_what_nobody_knows_is_asked(tmp_path: Path) -> None:
    found = look(
        ShopFiles(written(tmp_path / "ventes.csv", jeweller(), separator=";")), Said(synthetic=True, zone="UTC")
    )
    only = found.own["sales"]["only"]
    assert only == {"Type": ["ART", "RAP", "SRV"], "Statut": ["Validée"], "Devise": ["TND"]}
    asked = {q.about: q for q in found.questions}
    assert "SRV" in asked["uncounted"].text
    assert "RAP" in asked["uncounted"].text
    assert asked["currency"].options == ("TND", "EUR")
    told = " ".join(found.notes)
    assert "--code sales.counts:SRV=no" in told
    assert "EUR 16." in told
    kept = [r for r in jeweller() if all(r[c] in words for c, words in only.items())]
    looked = look_at(source(found, tmp_path))
    assert looked.records - len(jeweller()) == 0
    assert sum(n for why, n in looked.left_out.items() if "not counted" in why) == len(jeweller()) - len(kept)


def test_what_a_person_says_of_kinds_of_rows_holds_and_is_asked_no_more(tmp_path: Path) -> None:
    sales = written(tmp_path / "ventes.csv", jeweller(), separator=";")
    for said in ({"codes": {"sales.counts:RAP": "no", "sales.counts:TVA": "yes"}}, {"uncounted": "RAP"}):
        found = look(ShopFiles(sales), Said(synthetic=True, zone="UTC", **said))
        assert "RAP" not in found.own["sales"]["only"]["Type"]
        assert ("TVA" in found.own["sales"]["only"]["Type"]) is ("codes" in said)
        assert "uncounted" not in {q.about for q in found.questions}


def test_a_word_that_no_column_holds_is_refused(tmp_path: Path) -> None:
    sales = written(tmp_path / "ventes.csv", jeweller(), separator=";")
    with pytest.raises(ParamsError, match="no column was seen to hold RAB"):
        look(ShopFiles(sales), Said(synthetic=True, zone="UTC", codes={"sales.counts:RAB": "no"}))


def test_kinds_of_which_no_word_is_known_are_shown_with_their_shares(tmp_path: Path) -> None:
    rows = [
        row | {"Amount": f"{price(row, k):.2f}", "typ": "QX" if k % 2 else "ZB", "Kasjer": f"K{k}"}
        for k, row in lines()
    ]
    found = look(ShopFiles(written(tmp_path / "sprzedaz.csv", rows)), SAID)
    assert "only" not in found.own["sales"]
    assert "ZB 60.1%, QX 39.9%" in next(q.text for q in found.questions if q.about == "uncounted")
    few = next(n for n in found.notes if n.startswith("Few words"))
    assert "Kasjer (4)" in few
    assert "K1" not in few


@pytest.mark.parametrize("said", ["EUR", None])
def test_of_two_currencies_one_is_read_and_the_other_left_out_and_counted(said: str | None, tmp_path: Path) -> None:
    rows = [
        row | {"Amount": f"{price(row, k):.2f}", "Currency": "EUR" if row["Order ID"] % 5 == 0 else "PLN"}
        for k, row in lines()
    ]
    found = look(ShopFiles(written(tmp_path / "sales.csv", rows)), Said(synthetic=True, zone="UTC", currency=said))
    one = said or "PLN"
    assert found.own["sales"]["only"] == {"Currency": [one]}
    assert found.own["sales"]["money"]["currency"] == one
    mine = [r for r in rows if r["Currency"] == one]
    assert spend(found, tmp_path) == pytest.approx(sum(float(r["Amount"]) for r in mine), abs=0.01)
    assert look_at(source(found, tmp_path)).left_out == {"not counted by Currency": len(rows) - len(mine)}


def test_a_currency_that_the_column_does_not_have_is_refused(tmp_path: Path) -> None:
    rows = [row | {"Amount": "5.50", "Currency": "EUR" if row["Order ID"] % 5 else "PLN"} for _, row in lines()]
    with pytest.raises(ParamsError, match="PLN, EUR, and USD is none"):
        look(ShopFiles(written(tmp_path / "sales.csv", rows)), Said(synthetic=True, zone="UTC", currency="USD"))


def test_amounts_with_signs_of_several_currencies_are_refused(tmp_path: Path) -> None:
    rows = [row | {"Amount": f"{'€' if row['Order ID'] % 5 else '£'}{price(row, k):.2f}"} for k, row in lines()]
    with pytest.raises(DataError, match="Amount is written in EUR, GBP, which are not added up"):
        look(ShopFiles(written(tmp_path / "sales.csv", rows)), UNSAID)


def test_a_column_of_cancelled_zeros_and_ones_is_looked_through_in_no_time_and_left_out(tmp_path: Path) -> None:
    rows = [
        row | {"Amount": f"{price(row, k):.2f}", "anulowany": "1.0" if row["Order ID"] % 20 == 0 else "0.0"}
        for k, row in lines(6_000)
    ]
    rows = [row | {"Date": f"2025-01-{7 + n % 20:02}"} for n, row in enumerate(rows)]
    before = process_time()
    found = look(ShopFiles(written(tmp_path / "sprzedaz.csv", rows)), SAID)
    assert process_time() - before < 30
    assert found.own["sales"]["only"] == {"anulowany": ["0.0"]}


def roles() -> dict[str, list[str]]:
    found: dict[str, list[str]] = words()["columns"]
    return found


@pytest.mark.parametrize("ours", [*words()["columns"]])
def test_no_word_for_one_column_is_taken_for_another_one(ours: str) -> None:
    others = {word: [o for o in roles() if o != ours and word not in roles()[o]] for word in roles()[ours]}
    taken = {
        word: o for word, listed in others.items() for o in listed if _named(word, o) >= max(_named(word, ours), 2)
    }
    assert taken == {}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("Boutique", "store_id"), ("Magasin", "store_id"), ("N° pièce", "basket_id"), ("Qté", "quantity"),
     ("Κωδικός Είδους", "product_id"), ("상품코드", "product_id"), ("رقم العميل", "household_id"),
     ("رمز المنتج", "product_id"),
     ("מספר לקוח", "household_id"), ("סכום", "sales_value"), ("Discount", "retail_disc"), ("Date d'achat", "time")],
)  # fmt: skip
def test_a_column_is_taken_for_what_its_whole_name_says(theirs: str, ours: str) -> None:
    found = {o: _named(theirs, o) for o in roles()}
    assert found[ours] == max(found.values()) > 1
    assert [o for o, n in found.items() if n == found[ours]] == [ours]


def test_pieces_without_a_number_are_no_receipt() -> None:
    assert _named("Pièce", "basket_id") == 0


def test_a_french_till_is_read_column_by_column(tmp_path: Path) -> None:
    rows = [row | {"Boutique": "Sousse"} for row in jeweller()]
    found = look(ShopFiles(written(tmp_path / "ventes.csv", rows, separator=";")), UNSAID)
    columns = found.own["sales"]["columns"]
    told = {ours: columns[ours] for ours in ("basket_id", "line_id", "quantity", "store_id", "household_id")}
    assert told == {
        "basket_id": "N° pièce", "line_id": "Lg", "quantity": "Qté", "store_id": "Boutique",
        "household_id": "N° client",
    }  # fmt: skip


def test_an_article_a_shop_and_a_seller_are_no_customers_and_the_lines_number_no_article(tmp_path: Path) -> None:
    rows = [
        {"order_id": f"o{row['Order ID']}", "order_item_id": k + 1, "product_id": f"p{row['Order ID'] % 17}",
         "seller_id": f"s{row['Order ID'] % 9}", "shipping_limit_date": row["Date"], "price": f"{price(row, k):.2f}"}
        for k, row in lines()
    ]  # fmt: skip
    with pytest.raises(DataError, match="no column was found for household_id"):
        look(ShopFiles(written(tmp_path / "items.csv", rows)), SAID)
    found = look(
        ShopFiles(written(tmp_path / "items.csv", [row | {"customer_id": f"c{n % 30}"} for n, row in enumerate(rows)])),
        SAID,
    )
    assert found.own["sales"]["columns"]["product_id"] == "product_id"


def test_the_number_of_a_line_is_no_quantity_and_may_be_named(tmp_path: Path) -> None:
    rows = [row | {"Zz": k + 1, "Amount": f"{price(row, k):.2f}"} for k, row in lines()]
    sales = written(tmp_path / "sales.csv", rows)
    assert "quantity" not in look(ShopFiles(sales), SAID).own["sales"]["columns"]
    said = Said(synthetic=True, currency="EUR", zone="UTC", columns={"sales.line_id": "Zz"})
    assert look(ShopFiles(sales), said).own["sales"]["columns"]["line_id"] == "Zz"


def test_titles_above_the_head_of_a_csv_are_no_header_and_no_records(tmp_path: Path) -> None:
    rows = [row | {"Amount": f"{price(row, k):.2f}"} for k, row in lines()]
    sales = written(tmp_path / "sales.csv", rows, above="JOURNAL DES VENTES;;;\nEdité le 3 mars\n\n", separator=";")
    found = look(ShopFiles(sales), SAID)
    assert found.own["sales"]["columns"]["sales_value"] == "Amount"
    assert any("Above its head stand 3 line(s)" in choice.why for choice in found.choices)
    looked = look_at(source(found, tmp_path))
    assert (looked.taken, looked.quarantined) == (len(rows), {})
    assert spend(found, tmp_path) == pytest.approx(sum(float(r["Amount"]) for r in rows), abs=0.01)


def test_a_note_beside_the_tables_of_a_folder_is_no_table(tmp_path: Path) -> None:
    rows = [row | {"Amount": f"{price(row, k):.2f}"} for k, row in lines()]
    folder = tmp_path / "shop"
    folder.mkdir()
    written(folder / "sales.csv", rows)
    (folder / "README.txt").write_text("Our shop\n--------\nWe sell things, and more.\n", encoding="utf-8")
    found = look(ShopFiles(folder), SAID)
    assert look_at(source(found, tmp_path)).taken == len(rows)


def test_of_a_folder_of_different_tables_the_sales_are_named(tmp_path: Path) -> None:
    rows = [row | {"Amount": f"{price(row, k):.2f}"} for k, row in lines()]
    folder = tmp_path / "shop"
    folder.mkdir()
    written(folder / "a_people.csv", [{"Customer": f"C{n}", "Group": "x" if n % 2 else "y"} for n in range(60)])
    written(folder / "sales.csv", rows)
    with pytest.raises(
        DataError, match=r"By themselves sales.csv would be read as sales. .* a_people.csv: --customers"
    ):
        look(ShopFiles(folder), SAID)


def test_a_discount_of_one_is_an_amount_and_no_fraction(tmp_path: Path) -> None:
    rows = [
        row | {"Qty": 1, "Price": f"{price(row, k) + 5:.2f}", "Discount": "1.00" if k % 2 else "0.00"}
        for k, row in lines()
    ]
    found = look(ShopFiles(written(tmp_path / "sales.csv", rows)), SAID)
    assert found.own["sales"]["money"].get("discount_as", "amount") == "amount"


def sheet(path: Path, day: Any, amount: Any) -> float:
    """Receipts of forty people in a spreadsheet, written cell by cell; gives what all cost."""
    start, rows = datetime.fromisoformat("2025-01-01"), [["Receipt", "Customer", "Date", "Amount"]]
    for n in range(600):
        rows.append([f"B{n}", f"C{n % 40:04}", day(n, start + timedelta(n // 3)), amount(n, (200 + n) / 100)])
    write_sheet(path, rows)
    return sum(200 + n for n in range(600)) / 100


def text_day(_n: int, day: datetime) -> str:
    return day.strftime("%d/%m/%Y")


def test_a_column_of_a_spreadsheet_with_typed_cells_and_texts_is_read_whole(tmp_path: Path) -> None:
    paid = sheet(
        tmp_path / "sales.xlsx",
        lambda n, day: day if n % 3 else text_day(n, day),
        lambda n, amount: amount if n % 2 else f"{amount:.2f}".replace(".", ","),
    )
    found = look(ShopFiles(tmp_path / "sales.xlsx"), SAID)
    assert found.own["sales"]["time"]["also"] == ["%d/%m/%Y"]
    assert spend(found, tmp_path) == paid
    known = source(found, tmp_path)
    said = known.said.model_copy(update={"time": TimeParams(format="%d/%m/%Y", zone="UTC")})
    rows = read(replace(known, said=said), WHOLE).rows
    assert rows.num_rows == 600, "typed days are read in the way that is declared for the texts"


def test_days_that_a_spreadsheet_took_for_months_are_refused(tmp_path: Path) -> None:
    sheet(
        tmp_path / "sales.xlsx",
        lambda n, day: day.replace(day=day.month, month=day.day) if day.day <= 12 else text_day(n, day),
        lambda _n, amount: amount,
    )
    with pytest.raises(DataError, match="took days for months"):
        look(ShopFiles(tmp_path / "sales.xlsx"), SAID)
