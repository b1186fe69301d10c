"""A person's number is theirs however it is written: in a list of objections, a campaign, or a question."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from own_world import LEGAL, TWIN
from typer.testing import CliRunner

from twinops.cli._door import app
from twinops.data.own_sources.cell_values import Unreadable, identity
from twinops.data.own_sources.customer_number import NumberForm, as_filed
from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.proposing.customer_numbers import form_in
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import ShopFiles, look
from twinops.data.own_sources.reading import read
from twinops.entities.consent import Purpose
from twinops.own_params import OwnParams


def sales(folder: Path, number: str) -> Path:
    """Forty customers, called as `number` says it."""
    lines = [(f"2025-{m:02}-{d:02}", f"R{m}{d}{k}", number.format(k), "11", "1", f"{k}.50")
             for m in range(1, 7) for d in (3, 17) for k in range(1, 41)]  # fmt: skip
    file = folder / "sales.csv"
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([("date", "receipt", "customer", "article", "pieces", "amount"), *lines])
    return file


def source(own: dict[str, Any], name: str, root: Path) -> DeclaredSource:
    parsed = OwnParams.model_validate_json(json.dumps({name: own[name]}, default=str))
    return declared(parsed, name, root=root, max_rows=10_000_000)


def objectors(folder: Path, number: str, lines: list[str]) -> set[str]:
    (folder / "no.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")
    found = look(ShopFiles(sales(folder, number), opt_outs=folder / "no.txt"), Said(synthetic=True))
    return set(read(source(found.own, "optouts", folder), "all").rows["household_id"].to_pylist())


@pytest.mark.parametrize(
    ("number", "lines"),
    [
        ("K{:05}", ["K00001", "k00002", "3", " K00004 ", "K-00005", "karta 6", "nr K 00007", "00008"]),
        ("{:06}", ["000001", "N° 000002", "3", "000 004", "Nr. 5", "#6", "client n°000007", "No 8"]),
        ("KD-{}", ["KD-1", "kd2", "KD 3", "4", "KD-0005", "Kundennr. KD-6", "7", "KD.8"]),
    ],
)
def test_an_objection_is_its_customers_however_the_number_is_written(
    number: str, lines: list[str], tmp_path: Path
) -> None:
    assert objectors(tmp_path, number, lines) == {number.format(k) for k in range(1, 9)}


def test_a_number_without_its_prefix_holds_for_the_customer_of_each(tmp_path: Path) -> None:
    (tmp_path / "no.csv").write_text("who\n17\nF-18\n")
    said: dict[str, Any] = {
        "kind": "optouts", "reads": "csv", "path": "no.csv", "columns": {"household_id": "who"}, "digits": [4],
        "prefixes": ["K", "F"], "legal": LEGAL | {"purposes": {"household_id": TWIN}},
    }  # fmt: skip
    rows = read(source({"o": said}, "o", tmp_path), "all").rows.to_pylist()
    assert {r["household_id"] for r in rows} == {"K0017", "F0017", "F0018"}
    assert len(rows) == 3 * len(Purpose)


def test_another_kind_of_number_is_nobodys_by_guess() -> None:
    form = NumberForm((5,), ("K",))
    assert form.one("2900017982") == "2900017982", "a card's number is longer than a customer's"
    assert form.one("X00984") == "X00984"
    assert form.one("Jan Kowalski") == "Jan Kowalski"


def test_numbers_with_and_without_letters_in_one_file_of_sales_are_two_customers() -> None:
    both = [f"K{n:05}" for n in range(50)] + [f"{n:05}" for n in range(50)]
    form = form_in(both)
    assert form.one("00017") == "00017"
    assert set(form.every("00017")) == {"K00017", "00017"}, "an objection is neither's alone"


def test_whoever_is_asked_for_is_found_by_a_number_that_lost_its_zeros(tmp_path: Path) -> None:
    found = look(ShopFiles(sales(tmp_path, "{:06}")), Said(synthetic=True))
    own = OwnParams({"sales": source(found.own, "sales", tmp_path).said})
    assert as_filed("17", own) == ("17", "000017")
    assert as_filed("000017", own) == ("000017",)


def test_init_tells_how_many_lines_are_somebodys_by_the_form_of_their_number(tmp_path: Path) -> None:
    (tmp_path / "no.txt").write_text("K00001\nk00002\n3\nK-00004\nK99999\n")
    given = ["--from", str(sales(tmp_path, "K{:05}")), "--opt-outs", str(tmp_path / "no.txt"), "--synthetic", "--yes"]
    made = CliRunner().invoke(app, ["init", str(tmp_path / "project"), *given])
    assert made.exit_code == 0, made.output
    told = " ".join(made.output.split())
    assert "no.txt has 5 lines: 1 name a known customer as they are written, 3 once blanks" in told
    assert "1 nobody who is known here" in told
    assert "5 digits behind K" in told


def test_a_list_may_have_a_title_a_head_and_remarks_or_begin_with_a_number(tmp_path: Path) -> None:
    lines = ["Opposition list, as of 31.10.2026", "customer number", "# by telephone:", "K00003", "k00004", "", "5"]
    assert objectors(tmp_path, "K{:05}", lines) == {"K00003", "K00004", "K00005"}
    found = look(ShopFiles(tmp_path / "sales.csv", opt_outs=tmp_path / "no.txt"), Said(synthetic=True))
    got = read(source(found.own, "optouts", tmp_path), "all")
    assert got.left_out == {"no_customer_number": 2}
    assert objectors(tmp_path, "{:06}", ["N° 000001", "000002", "3"]) == {"000001", "000002", "000003"}


FIVE = NumberForm((5,), ("K",))


@pytest.mark.parametrize(
    "cell", ["-1", "\N{MINUS SIGN}1", "1-", "(1)", "12.3", "123.5", "471/2", "12²", "1.2.3", "1e5"]
)
def test_what_may_be_another_number_is_no_customers_in_sales(cell: str) -> None:
    """-1 stands for nobody in many a till, and would be customer 1's."""
    assert FIVE.one(cell) == cell


@pytest.mark.parametrize(
    "cell",
    ["'984", '"984"', "(984)", "984;", "- 984", "+984", "984.", "984²", "９８４．０", "984.00", "k-984", "№ 984"],
)
def test_an_objection_is_lost_by_no_sign_around_its_number(cell: str, tmp_path: Path) -> None:
    assert FIVE.every(cell) == ("K00984",)
    (tmp_path / "no.csv").write_text(f'who;x\n"{cell.replace(chr(34), chr(34) * 2)}";1\n', encoding="utf-8")
    said: dict[str, Any] = {
        "kind": "optouts", "reads": "csv", "path": "no.csv", "separator": ";", "columns": {"household_id": "who"},
        "digits": [5], "prefixes": ["K"], "legal": LEGAL | {"purposes": {"household_id": TWIN}},
    }  # fmt: skip
    got = read(source({"o": said}, "o", tmp_path), "all").rows
    assert set(got["household_id"].to_pylist()) == {"K00984"}


def test_thousands_and_full_length_are_the_number_and_three_zeros_are_no_fraction() -> None:
    assert [FIVE.one(c) for c in ("4 711", "4.711", "K 47-11-2", "45.000")] == ["K04711", "K04711", "K47112", "K45000"]
    assert identity("45.000") != identity("45")
    assert identity("45.0") == identity("45")


@pytest.mark.parametrize(
    "cell", ["\u200b4711", "4711\u200f", "\ufeff4711", "４７１１", "٤٧١١", "47\u00ad11", " 4711\u00a0"]
)
def test_two_ids_that_look_alike_are_one_with_and_without_a_declared_form(cell: str) -> None:
    assert identity(cell) == "4711"
    assert as_filed(cell, OwnParams({})) == (cell, "4711")


def test_two_ids_that_do_not_look_alike_stay_two() -> None:
    some = ["C17", "c17", "C17²", "C17a", "С17", "C-17", "0C17", "C017"]
    assert len({identity(c) for c in some}) == len(some)
    with pytest.raises(Unreadable):
        identity("4711\x00")


def test_a_no_in_a_ledger_is_its_customers_where_a_yes_written_so_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / "said.csv").write_text("who,what,at\n984.,no,2024-01-01\n(985),yes,2024-01-01\nK-986,yes,2024-01-01\n")
    said: dict[str, Any] = {
        "kind": "consent", "reads": "csv", "path": "said.csv", "digits": [5], "prefixes": ["K"],
        "columns": {"household_id": "who", "event": "what", "time": "at"}, "time": {"zone": "UTC"},
        "constants": {"purpose": "offers", "basis": "consent", "notice_version": "1"},
        "legal": LEGAL | {"purposes": dict.fromkeys(["household_id", "event", "time"], TWIN)},
    }  # fmt: skip
    rows = read(source({"o": said}, "o", tmp_path), "all").rows.to_pylist()
    assert {r["household_id"]: r["event"] for r in rows} == {
        "K00984": "refused",
        "(985)": "granted",
        "K00986": "granted",
    }


def test_each_line_of_a_list_is_told_as_known_unknown_or_not_understood(tmp_path: Path) -> None:
    lines = ["# never mail", "K00001", " k00002 ", "ANNA@MAIL.EXAMPLE", "bob@mail.example", "K99999", "*@firm.example"]
    (tmp_path / "no.txt").write_text("\n".join([*lines, ""]))
    given = ["--from", str(sales(tmp_path, "K{:05}")), "--opt-outs", str(tmp_path / "no.txt"), "--synthetic", "--yes"]
    made = CliRunner().invoke(app, ["init", str(tmp_path / "project"), *given])
    told = " ".join(made.output.split())
    assert "no.txt has 6 lines: 1 name a known customer as they are written, 1 once blanks" in told, made.output
    assert "3 nobody who is known here" in told
    assert "1 more (line 7) keep nobody out: a title, a remark, or a pattern for many such as *@firm" in told
    assert "24 objections" in told, "an address without a digit is no title"
