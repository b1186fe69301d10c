"""Whatever lies in a declared folder is read as what it is, or named and refused; numbers are known however written."""

from __future__ import annotations

import gzip
import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from make_sheet import write_sheet, write_sheets
from own_world import LEGAL, TWIN
from pydantic import ValidationError
from typer.testing import CliRunner

from twinops.cli._door import app
from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.look import look as look_at
from twinops.data.own_sources.proposing.customer_numbers import digits_of
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import ShopFiles, look
from twinops.data.own_sources.reading import read
from twinops.entities.consent import Purpose
from twinops.errors import DataError, ParamsError
from twinops.own_params import OwnParams
from twinops.workflows.sources.check import _holes

HEAD = "Datum;Doklad;Karta;Kod;Kusy;Castka"


def shop(folder: Path, months: tuple[str, ...] = ("2025-01", "2025-02", "2025-03")) -> Path:
    """Thirty customers with numbers of eight digits, a file a month, the last one an accountant's spreadsheet."""
    sales = folder / "sales"
    sales.mkdir(parents=True)
    for month in months[:-1]:
        lines = [f"{d:02}.{month[5:]}.{month[:4]};{month[5:]}{d:02}{k};{7000 + k:08};{k % 5 + 10};2;{k},50"
                 for d in range(1, 28) for k in range(1, 31)]  # fmt: skip
        (sales / f"sales_{month}.csv.gz").write_bytes(gzip.compress("\n".join([HEAD, *lines, ""]).encode()))
    day = datetime.fromisoformat(f"{months[-1]}-03")
    rows = [[day, f"X{k}", 7000 + k, 11, 1, k + 0.5] for k in range(1, 31)]
    above = [["Sales, for the accountant"], [""], HEAD.split(";")]
    write_sheet(sales / f"sales_{months[-1]}.xlsx", [*above, *rows, ["TOTAL", None, None, None, 30, 480.0]])
    return sales


def source(own: dict[str, Any], name: str, root: Path) -> DeclaredSource:
    parsed = OwnParams.model_validate_json(json.dumps({name: own[name]}, default=str))
    return declared(parsed, name, root=root, max_rows=10_000_000)


def test_a_month_in_another_format_is_read_and_what_is_no_row_of_it_is_told(tmp_path: Path) -> None:
    found = look(ShopFiles(shop(tmp_path)), Said(synthetic=True))
    assert found.own["sales"]["reads"] == "folder"
    assert found.own["sales"]["files"] == "sales_{month}.*"
    looked = look_at(source(found.own, "sales", tmp_path))
    assert looked.files == 3
    assert looked.months == {"2025-01": 810, "2025-02": 810, "2025-03": 30}
    assert looked.left_out["above_the_head_of_the_table"] == 1
    assert looked.quarantined == {"time_unreadable": 1}
    assert looked.households == 30, "a number that lost its zeros is the customer's all the same"


def test_a_file_of_a_folder_that_cannot_be_read_is_named_and_refused(tmp_path: Path) -> None:
    sales = shop(tmp_path)
    (sales / "sales_2025-04.json").write_text("{}")
    said = look(ShopFiles(sales), Said(synthetic=True)).own
    assert said["sales"]["reads"] == "csv"
    with pytest.raises(DataError, match=r"sales_2025-04\.json in the folder sales cannot be read"):
        look_at(source(said, "sales", tmp_path))


def test_two_files_of_one_month_are_refused(tmp_path: Path) -> None:
    sales = shop(tmp_path)
    said = look(ShopFiles(sales), Said(synthetic=True)).own
    (sales / "sales_2025-03.csv").write_text(HEAD + "\n")
    with pytest.raises(DataError, match=r"sales_2025-03\.csv and sales_2025-03\.xlsx .* are of one month"):
        look_at(source(said, "sales", tmp_path))


def test_a_hole_between_months_is_pointed_at() -> None:
    assert _holes(["2024-11", "2025-02"]) == ("2024-12", "2025-01")
    assert _holes([]) == ()


def test_sheets_of_the_same_columns_are_all_read_and_others_are_named(tmp_path: Path) -> None:
    sales, few = shop(tmp_path), range(1, 16)
    first = [["Karta", "Pohlavi"], *([f"{7000 + k:08}", "F" if k % 2 else "M"] for k in few)]
    online = [["Pohlavi", "Karta"], *(["F" if k % 2 else "M", f"{7015 + k:08}"] for k in few)]
    write_sheets(tmp_path / "people.xlsx", {"cards": first, "online": online, "notes": [["to do", "when"]]})
    said = Said(synthetic=True, columns={"customers.gender": "Pohlavi"})
    found = look(ShopFiles(sales, tmp_path / "people.xlsx"), said)
    assert found.own["customers"]["sheet"] == "*"
    why = next(c.why for c in found.choices if (c.source, c.what) == ("customers", "file"))
    assert "all sheets of the same columns are read: cards, online." in why
    assert "NOT read, as the columns are others: notes" in why
    assert look_at(source(found.own, "customers", tmp_path)).households == 30


def test_lines_of_json_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "said.jsonl").write_text('{"who": "a", "text": "b"}\n' * 5)
    found = look(ShopFiles(shop(tmp_path), more=(str(tmp_path / "said.jsonl"),)), Said(synthetic=True))
    assert [str(t) for t in found.left_out if "said.jsonl is JSON, which is not read" in str(t)]


def test_each_purpose_has_the_day_that_stands_beside_it_and_the_latest_word_counts(tmp_path: Path) -> None:
    rows = ["Karta;News;News - date;Offers made for me;Offers made for me - date"]
    rows += [f"{7000 + k:08};yes;01.01.2020;yes;0{k % 3 + 1}.05.2024" for k in range(1, 31)]
    rows += ["00007001;yes;01.01.2020;no;07.07.2024", "00007002;yes;01.01.2020;neuvedeno;"]
    (tmp_path / "agreed.csv").write_text("\n".join([*rows, ""]))
    said = Said(synthetic=True, columns={"optins.offers": "Offers made for me"})
    found = look(ShopFiles(shop(tmp_path), opt_ins=tmp_path / "agreed.csv"), said)
    assert found.own["optins"]["times"] == {"offers": "Offers made for me - date"}
    got = read(source(found.own, "optins", tmp_path), "all")
    first = sorted(
        (r["time"].date().isoformat(), r["event"]) for r in got.rows.to_pylist() if r["household_id"] == "00007001"
    )
    assert first == [("2024-05-02", "granted"), ("2024-07-07", "refused")]
    assert got.left_out == {"no_answer": 1}, "not stated is neither a yes nor a no"


def test_an_objection_is_lost_by_no_way_of_writing_it(tmp_path: Path) -> None:
    (tmp_path / "no.txt").write_text("0000 7001\n7002\n00-007003\n00007004\n")
    found = look(ShopFiles(shop(tmp_path), opt_outs=tmp_path / "no.txt"), Said(synthetic=True))
    rows = read(source(found.own, "optouts", tmp_path), "all").rows
    assert set(rows["household_id"].to_pylist()) == {"00007001", "00007002", "00007003", "00007004"}


def test_an_objection_that_two_customers_fit_holds_for_both(tmp_path: Path) -> None:
    (tmp_path / "no.csv").write_text("who\n7 002\n")
    said = {"kind": "optouts", "reads": "csv", "path": "no.csv", "columns": {"household_id": "who"}, "digits": [1, 8],
            "legal": LEGAL | {"purposes": {"household_id": TWIN}}}  # fmt: skip
    rows = read(source({"o": said}, "o", tmp_path), "all").rows.to_pylist()
    assert {(r["household_id"], r["purpose"]) for r in rows} == {
        (who, str(p)) for who in ("7002", "00007002") for p in Purpose
    }
    assert len(rows) == 2 * len(Purpose)


def test_numbers_are_compared_by_digits_only_where_they_are_digits() -> None:
    assert digits_of(["C-12", "C-13"]) == ()
    assert digits_of(["00000012", "41200817"]) == (8,)
    assert digits_of(["12", "1200"]) == (1,)


def test_init_says_how_many_lines_of_the_list_are_known_and_where_the_outsize_id_stands(tmp_path: Path) -> None:
    sales = shop(tmp_path)
    both = ("00000000", "00000017")
    more = [f"{d:02}.02.2025;9{d:02}{k};{w};11;1;5,00" for d in range(1, 28) for k in range(25) for w in both]
    (sales / "sales_2025-02.csv.gz").write_bytes(gzip.compress("\n".join([HEAD, *more, ""]).encode()))
    (tmp_path / "no.txt").write_text("0000 7001\n00007002\n7003\n00999999\n")
    given = ["--from", str(sales), "--opt-outs", str(tmp_path / "no.txt"), "--synthetic", "--yes"]
    made = CliRunner().invoke(app, ["init", str(tmp_path / "project"), *given])
    assert made.exit_code == 0, made.output
    assert "no.txt has 4 lines: 1 name a known customer as they are written, 2 once blanks" in made.output
    assert "1 nobody who is known here" in made.output
    assert "16 objections, one a line and purpose," in made.output
    assert "has 675 rows" in made.output
    assert "first in sales_2025-02.csv.gz line 3" in made.output
    assert "00000017" not in made.output
    own = yaml.safe_load((tmp_path / "project/params.yaml").read_text(encoding="utf-8"))["own"]
    assert own["sales"]["missing"] == ["00000000"], "a digit over and over is nobody, and no identity"


def test_lists_that_lie_beside_the_months_are_no_sales_and_are_named(tmp_path: Path) -> None:
    sales = shop(tmp_path, ("2025-01", "2025-02", "2025-03", "2025-04"))
    (sales / "campaigns.tsv").write_text("code\tfrom\tto\nK1\t01.01.2025\t02.01.2025\n")
    (sales / "comments.jsonl").write_text('{"a": 1}\n')
    (sales / "later").mkdir()
    (sales / "later/sales_2025-05.csv").write_text(HEAD + "\n")
    found = look(ShopFiles(sales), Said(synthetic=True))
    assert found.own["sales"]["files"] == "sales_{month}.*"
    assert any(
        "NOT read as sales" in n and "campaigns.tsv, comments.jsonl, sales_2025-05.csv" in n for n in found.notes
    )
    assert look_at(source(found.own, "sales", tmp_path)).files == 4


def test_a_month_that_is_called_otherwise_is_read_with_the_others(tmp_path: Path) -> None:
    sales = shop(tmp_path, ("2025-01", "2025-02", "2025-03", "2025-04"))
    (sales / "easter.csv").write_text(f"{HEAD}\n20.04.2025;1;00007001;11;1;5,00\n")
    found = look(ShopFiles(sales), Said(synthetic=True))
    assert found.own["sales"]["reads"] == "csv"
    assert look_at(source(found.own, "sales", tmp_path)).files == 5


def test_a_list_of_who_objected_that_lies_beside_the_months_is_never_passed_over(tmp_path: Path) -> None:
    sales = shop(tmp_path, ("2025-01", "2025-02", "2025-03", "2025-04"))
    (sales / "no.txt").write_text("00007001\n7002\n")
    with pytest.raises(
        ParamsError, match=r"no\.txt: it lies beside the months and is about their customers"
    ) as refused:
        look(ShopFiles(sales), Said(synthetic=True))
    assert f"--opt-outs {sales / 'no.txt'}" in refused.value.hint
    assert "optouts" in look(ShopFiles(sales, opt_outs=sales / "no.txt"), Said(synthetic=True)).own


def years(folder: Path, *, called: str = "Pièce") -> Path:
    """Three years with titles above their heads, saved by three programs: other encodings, one year of two digits."""
    folder.mkdir()
    written = (("2023", "cp1252", "%d/%m/%Y"), ("2024", "utf-8-sig", "%d/%m/%y"), ("2025", "utf-8", "%d/%m/%Y"))
    for year, encoding, form in written:
        lines = ["JOURNAL DES VENTES;;;;", f"Exercice {year};édité;;;", ""]
        lines.append(f"Date;N° {called if year == '2025' else 'Pièce'};N° client;Qté;Montant")
        for n in range(300):
            day = date(int(year), 1 + n % 12, 1 + n % 28)
            lines.append(f"{day:{form}};F{year}-{n};{1000 + n % 60};1;{n % 90},50")
        (folder / f"ventes_{year}.csv").write_text("\n".join([*lines, ""]), encoding=encoding)
    return folder


def test_files_of_a_folder_may_have_titles_other_encodings_and_days_written_otherwise(tmp_path: Path) -> None:
    found = look(ShopFiles(years(tmp_path / "ventes")), Said(synthetic=True))
    assert found.own["sales"]["time"]["also"] == ["%d/%m/%y"]
    looked = look_at(source(found.own, "sales", tmp_path))
    assert (looked.taken, looked.quarantined) == (900, {})
    assert {month[:4] for month in looked.months} == {"2023", "2024", "2025"}


def test_a_column_that_some_files_call_otherwise_is_read_and_told(tmp_path: Path) -> None:
    found = look(ShopFiles(years(tmp_path / "ventes", called="Ticket")), Said(synthetic=True))
    assert found.own["sales"]["renamed"] == {"N° Pièce": ["N° Ticket"]}
    assert "N° Pièce is N° Ticket" in [c.value for c in found.choices if c.what == "renamed"]
    looked = look_at(source(found.own, "sales", tmp_path))
    assert (looked.taken, looked.quarantined) == (900, {})


def test_a_column_of_other_content_stands_for_none_that_is_missing(tmp_path: Path) -> None:
    folder = years(tmp_path / "ventes", called="Ticket")
    text = (folder / "ventes_2025.csv").read_text(encoding="utf-8")
    (folder / "ventes_2025.csv").write_text(re.sub(r"F2025-(\d+)", "à emporter", text), encoding="utf-8")
    found = look(ShopFiles(folder), Said(synthetic=True))
    assert "renamed" not in found.own["sales"]
    with pytest.raises(DataError, match=r"ventes_2025.csv: own.sales: there is no column N° Pièce\."):
        look_at(source(found.own, "sales", tmp_path))


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
def test_it_is_so_in_folders_of_any_format(ending: str, tmp_path: Path) -> None:
    (folder := tmp_path / "sales").mkdir()
    for n, amount in enumerate(("Amount", "Amount EUR", "Amount EUR")):
        head = ["Day", "Receipt", "Card", amount]
        rows = [[datetime(2025, 1 + n, 1 + k % 28), f"R{n}{k}", f"K{k % 40:05}", k + 0.5] for k in range(200)]  # noqa: DTZ001
        path = folder / f"sales_2025-0{n + 1}.{ending}"
        if ending == "xlsx":
            write_sheet(path, [head, *rows])
        else:
            pq.write_table(pa.table(dict(zip(head, zip(*rows, strict=True), strict=True))), path)
    found = look(ShopFiles(folder), Said(synthetic=True))
    assert found.own["sales"]["renamed"] == {"Amount": ["Amount EUR"]}
    looked = look_at(source(found.own, "sales", tmp_path))
    assert (looked.taken, looked.quarantined) == (600, {})


def test_a_name_stands_for_one_column_alone(tmp_path: Path) -> None:
    said = look(ShopFiles(years(tmp_path / "ventes")), Said(synthetic=True)).own
    said["sales"]["renamed"] = {"Date": ["x"], "Montant": ["x"]}
    with pytest.raises(ValidationError, match="renamed: x stands for two columns"):
        source(said, "sales", tmp_path)
