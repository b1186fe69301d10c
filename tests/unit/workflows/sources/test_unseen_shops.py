"""Shops in other languages are declared at one go, and whatever is refused is mended by what the refusal advises."""

from __future__ import annotations

import random
import re
import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner
from unseen_shops import SHOPS, Unseen, receipts, write

from twinops.cli._door import app
from twinops.cli._shop_files import said as said_by
from twinops.data.own_sources.proposing import sampling
from twinops.data.own_sources.proposing.drafting import Said, Trouble
from twinops.data.own_sources.proposing.proposal import ShopFiles, look
from twinops.errors import DataError, TwinopsError
from twinops.workflows.compliance_files import ABOUT_FILES, open_in
from twinops.workflows.places import Places

MADE_UP = Said(synthetic=True)


@pytest.mark.parametrize("name", SHOPS)
def test_its_columns_and_notation_are_found_without_an_option(name: str, tmp_path: Path) -> None:
    shop: Unseen = SHOPS[name]
    found = look(shop.make(tmp_path), shop.said)
    said = found.own["sales"]
    assert said["columns"] == shop.sales
    assert said["time"]["format"] == shop.time
    assert {k: said["money"].get(k) for k in shop.money} == shop.money
    assert said.get("encoding", "detect") == shop.encoding
    assert (tuple(found.own), found.left_out) == (shop.sources, ())
    assert set(found.own["optins"]["answers"]) == {"twin_training", "twin_scoring", "offers"}
    assert {"birth_year", "gender"} <= set(found.own["customers"]["columns"])


@pytest.mark.parametrize("name", SHOPS)
def test_it_becomes_a_project_at_one_go_and_no_row_is_lost(name: str, tmp_path: Path) -> None:
    shop: Unseen = SHOPS[name]
    files = shop.make(tmp_path / "files", days=120)
    given = ["--from", str(files.sales), "--customers", str(files.customers), "--opt-ins", str(files.opt_ins)]
    also = [part for path in files.more for part in ("--also", path)]
    made = CliRunner().invoke(app, ["init", str(tmp_path / "project"), *given, *also, "--synthetic", "--yes"])
    assert made.exit_code == 0, made.output
    assert "would be quarantined: none" in made.output
    assert not re.search(r"would be quarantined: (?!none)|could not be read", made.output)
    own = yaml.safe_load((tmp_path / "project/params.yaml").read_text(encoding="utf-8"))["own"]
    assert tuple(own) == shop.sources


# Advice.


def sales(folder: Path, head: str = "a1;b2;c3;d4", line: str = "{who};{day};{amount};{note}") -> Path:
    rows = [
        line.format(
            who=f"{70_000 + x.customer}", day=f"{x.at:%d.%m.%Y}", amount=f"{x.amount / 100:.2f}", note="x", n=x.receipt
        )
        for x in receipts(90, 40, seed=2)
    ]
    return write(folder / "sales.csv", head, rows, encoding="utf-8")


def people(folder: Path, name: str, head: str, cells: tuple[tuple[str, ...], ...]) -> Path:
    dice = random.Random(1)  # noqa: S311
    rows = [";".join([f"{70_000 + n}", *(dice.choice(c) for c in cells)]) for n in range(40)]
    return write(folder / name, head, rows, encoding="utf-8")


def half_dated(folder: Path) -> ShopFiles:
    """Days of which a third are a word: no column holds days alone."""
    rows = [
        f"{70_000 + x.customer};{f'p {x.receipt}' if x.receipt % 3 == 0 else f'{x.at:%d.%m.%Y}'};{x.amount / 100:.2f}"
        for x in receipts(90, 40, seed=2)
    ]
    return ShopFiles(write(folder / "sales.csv", "qq;ww;ee", rows, encoding="utf-8"))


def once_each(folder: Path) -> ShopFiles:
    """Everybody comes once: no column comes back as customers do."""
    rows = [f"Z{n};{1 + n % 28:02d}.03.2023;{n % 90}.50" for n in range(200)]
    return ShopFiles(write(folder / "sales.csv", "qq;ww;ee", rows, encoding="utf-8"))


def strange_words(folder: Path) -> ShopFiles:
    return ShopFiles(sales(folder), opt_ins=people(folder, "ok.csv", "nr;marketing", (("blip", "blop"),)))


def strange_purpose(folder: Path) -> ShopFiles:
    return ShopFiles(sales(folder), opt_ins=people(folder, "ok.csv", "nr;zzz", (("TAK", "NIE"),)))


def strange_campaigns(folder: Path) -> ShopFiles:
    rows = [f"{n};mail;0{n}.02.2023;0{n}.03.2023" for n in range(1, 6)]
    path = write(folder / "waves.csv", "qq;art;ww;ee", rows, encoding="utf-8")
    return ShopFiles(sales(folder), more=(f"campaigns={path}",))


def untold_campaigns(folder: Path) -> ShopFiles:
    files = strange_campaigns(folder)
    return replace(files, more=(files.more[0].removeprefix("campaigns="),))


REFUSED: dict[str, tuple[Any, dict[str, str]]] = {
    "days that are words now and then": (half_dated, {}),
    "customers that come once": (once_each, {}),
    "a column that is spelled wrong": (lambda f: ShopFiles(sales(f, "kto;dzien;kwota;x")), {"household_id": "ktoo"}),
    "a column of ours that is spelled wrong": (
        lambda f: ShopFiles(sales(f, "kto;dzien;kwota;x")),
        {"houshold_id": "kto"},
    ),
    "answers in words nobody knows": (strange_words, {}),
    "a purpose nobody knows": (strange_purpose, {}),
    "campaigns by other names": (strange_campaigns, {}),
    "a file of a kind nobody told": (untold_campaigns, {}),
}


def troubles(files: ShopFiles, said: Said) -> tuple[list[Trouble], str]:
    """What is told of them, refused or left out, and the advice."""
    try:
        left = look(files, said).left_out
    except TwinopsError as refused:
        return [Trouble("refused", refused.what)], f"{refused.what} {refused.hint}"
    return list(left), " ".join(t.mend for t in left)


def followed(advice: str, files: ShopFiles) -> tuple[ShopFiles, Said]:
    """The command again with every option that was advised."""
    parts = shlex.split(advice.rsplit("Add ", maxsplit=1)[-1])
    given = {
        option: [b for a, b in pairwise(parts) if a == option] for option in ("--column", "--code", "--date", "--also")
    }
    date = next(iter(given["--date"]), None)
    told = said_by({"date": date}, columns=given["--column"], synthetic=True, codes=given["--code"])
    return replace(files, more=(*files.more, *given["--also"])), told


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_refusal_advises_gets_further(name: str, tmp_path: Path) -> None:
    make, columns = REFUSED[name]
    files, said = make(tmp_path), replace(MADE_UP, columns=columns)
    found, advice = troubles(files, said)
    assert found
    assert "--" in advice, advice
    again, _ = troubles(*followed(advice, files))
    assert [t.what for t in again] != [t.what for t in found]
    assert len(again) < len(found)


def test_all_mistakes_of_all_files_are_told_at_once_with_their_columns(tmp_path: Path) -> None:
    files = ShopFiles(
        sales(tmp_path, "kto;dzien;kwota;x"),
        people(tmp_path, "who.csv", "nr;rok", (("1980", "1990"),)),
        people(tmp_path, "ok.csv", "nr;zgoda_marketing", (("TAK", "NIE"),)),
    )
    wrong = {"time": "nope", "customers.birth_year": "nie ma", "optins.offers": "nic", "colour": "x"}
    with pytest.raises(TwinopsError) as told:
        look(files, replace(MADE_UP, columns=wrong))
    for part in (
        "sales.csv: it has no column 'nope'",
        "kto, dzien, kwota, x",
        "'nie ma'",
        "nr, rok",
        "no column 'colour' of ours",
    ):
        assert part in told.value.what


def test_words_for_yes_and_no_can_be_said(tmp_path: Path) -> None:
    files = strange_words(tmp_path)
    said = said_by({}, columns=[], synthetic=True, codes=["optins.offers:blip=yes", "optins.offers:blop=no"])
    found = look(files, said)
    assert found.left_out == ()
    assert found.own["optins"]["codes"] == {"event": {"blip": "yes", "blop": "no"}}


def test_letters_that_go_together_are_a_yes_and_a_no(tmp_path: Path) -> None:
    asked = people(tmp_path, "ok.csv", "nr;markkinointi", (("K", "E"),))
    assert look(ShopFiles(sales(tmp_path), opt_ins=asked), MADE_UP).own["optins"]["codes"] == {
        "event": {"K": "yes", "E": "no"}
    }


@pytest.mark.parametrize("place", ["birth_year", "customers.birth_year", "profiles.birth_year"])
def test_whatever_a_mapping_knows_can_be_said_of_its_file(place: str, tmp_path: Path) -> None:
    who = people(tmp_path, "who.csv", "nr;qq;ww", (("1980", "1990"), ("x", "y")))
    found = look(ShopFiles(sales(tmp_path), who), replace(MADE_UP, columns={place: "qq", "customers.hobby": "ww"}))
    assert found.own["customers"]["columns"] == {"household_id": "nr", "birth_year": "qq", "hobby": "ww"}
    assert found.own["customers"]["ages_in"] == 2023


def test_values_tell_where_names_say_nothing_and_that_is_told(tmp_path: Path) -> None:
    rows = [
        f"{x.receipt};9{x.customer:05d};{x.at:%d.%m.%Y %H:%M};{x.pieces};{x.amount / 100:.2f}"
        for x in receipts(150, 60, seed=2)
    ]
    found = look(ShopFiles(write(tmp_path / "s.csv", "f1;f2;f3;f4;f5", rows, encoding="utf-8")), MADE_UP)
    assert found.own["sales"]["columns"] == {
        "time": "f3", "sales_value": "f5", "quantity": "f4", "household_id": "f2", "basket_id": "f1",
    }  # fmt: skip
    assert all(c.why.startswith("by values") for c in found.choices if c.what in found.own["sales"]["columns"])


def test_a_file_that_cannot_be_read_is_left_out_and_open_and_all_else_goes_on(tmp_path: Path) -> None:
    files = strange_words(tmp_path / "files")
    torn = write(tmp_path / "files/torn.csv", "", [], encoding="utf-8")
    odd = write(tmp_path / "files/odd.csv", "nothing;known", ["a;b"], encoding="utf-8")
    around = ["--customers", str(torn), "--also", str(odd)]
    given = ["--from", str(files.sales), *around, "--synthetic", "--yes"]
    made = CliRunner().invoke(app, ["init", str(tmp_path / "project"), *given])
    assert made.exit_code == 0, made.output
    assert made.output.count("left out, and open until it can be read") == 2
    told = [str(one) for one in open_in(Places(tmp_path / "project")) if one.file == ABOUT_FILES]
    assert sorted(told) == [
        f"{ABOUT_FILES}: left_out.odd.csv (the controller's data owner)",
        f"{ABOUT_FILES}: left_out.torn.csv (the controller's data owner)",
    ]
    status = CliRunner().invoke(app, ["--project", str(tmp_path / "project"), "status", "--open"])
    assert "left_out.odd.csv" in status.output


def test_nothing_is_made_without_the_answers_of_those_who_were_asked(tmp_path: Path) -> None:
    files = strange_words(tmp_path / "files")
    given = ["--from", str(files.sales), "--opt-ins", str(files.opt_ins), "--synthetic", "--yes"]
    made = CliRunner().invoke(app, ["init", str(tmp_path / "project"), *given])
    assert isinstance(made.exception, DataError)
    assert "--code optins.offers:blip=yes" in str(made.exception)


def test_goods_in_a_language_nobody_knows_are_an_open_point(tmp_path: Path) -> None:
    rows = [
        f"{x.receipt};{70_000 + x.customer};{x.at:%Y-%m-%d};P{x.product};{x.amount / 100:.2f}"
        for x in receipts(90, 40, seed=2)
    ]
    sold = write(tmp_path / "sales.csv", "receipt;customer;date;product;amount", rows, encoding="utf-8")
    for names, known in ((("Kopi bubuk", "Nasi goreng"), False), (("Lait pour bébés", "Pain avec noix"), True)):
        goods = write(
            tmp_path / "goods.csv", "product;category", [f"P{n};{names[n % 2]}" for n in range(60)], encoding="utf-8"
        )
        sampling._sampled.cache_clear()
        found = look(ShopFiles(sold, more=(str(goods),)), MADE_UP)
        assert ("products" in found.open) is not known
        assert known or "look like none of these" in found.open["products"]
