"""A stranger's files are looked at and declared: what they tell is found, what they do not is asked or stays open."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from candidate import ROOT
from dvc.utils.serialize import dumps_yaml, loads_yaml
from make_sheet import write_sheet
from people_wrote import mastodon, x, zipped
from supplying import supplied
from typer.testing import CliRunner

from shops.shops import five, web
from twinops import params as params_file
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.cli._door import app
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look
from twinops.data.vault.seal import read_sealed
from twinops.entities.consent import LegalBasis, Purpose
from twinops.errors import DataError, ParamsError
from twinops.own_sections import TWIN
from twinops.workflows.pipeline.collect import collect
from twinops.workflows.places import Places
from twinops.workflows.project.opened import left_open
from twinops.workflows.sources.fingerprint import fingerprint
from twinops.workflows.sources.propose import Proposed, propose, put
from twinops.workflows.watched_pipeline import OwnThings

MADE_UP = Said(synthetic=True)
LAW = ("controller", "collected_from", "notice", "retention_days", "basis", "offers_basis")


def project(root: Path, *, synthetic: bool = True) -> Places:
    """A folder with this repository's parameters, and a controller who is made up, or not."""
    (root / "compliance").mkdir(parents=True)
    (root / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    use = (ROOT / "compliance/intended_use.yaml").read_text(encoding="utf-8")
    if not synthetic:
        use = use.replace("  synthetic: true", "  synthetic: false")
    (root / "compliance/intended_use.yaml").write_text(use, encoding="utf-8")
    return Places(root)


Row = tuple[str, str, datetime, str, int, int]
"""Customer, receipt, moment, article, pieces, cents a piece."""


def purchases(n: int = 400, *, customers: int = 40, seed: int = 1) -> list[Row]:
    dice = random.Random(seed)  # noqa: S311
    at, rows = datetime.fromisoformat("2024-01-13T09:00"), []
    for receipt in range(n):
        at += timedelta(minutes=dice.randint(30, 2_000))
        who = f"{70_000 + dice.randrange(customers)}"
        for _ in range(dice.randint(1, 3)):
            rows.append(
                (who, str(receipt + 4_000), at, f"A{dice.randrange(30)}", dice.randint(1, 4), dice.randint(90, 19_999))
            )
    return rows


def table(path: Path, head: list[str], rows: list[list[str]], *, sign: str = ",", encoding: str = "utf-8") -> Path:
    lines = [sign.join(head), *(sign.join(row) for row in rows)] if head else [sign.join(row) for row in rows]
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def comma(cents: int, thousands: str = ".") -> str:
    return f"{cents / 100:,.2f}".replace(",", "#").replace(".", ",").replace("#", thousands)


SHOPS: dict[str, tuple[Callable[[Path], Path], dict[str, str], dict[str, Any]]] = {
    "German": (
        lambda p: table(
            p,
            ["Kundennummer", "Bonnr", "Kaufdatum", "Artikel", "Stückzahl", "Preis in €"],
            [[w, b, t.strftime("%d.%m.%y %H:%M"), a, str(n), f"{comma(c)}"] for w, b, t, a, n, c in purchases()],
            sign=";",
            encoding="cp1252",
        ),
        {
            "household_id": "Kundennummer",
            "basket_id": "Bonnr",
            "time": "Kaufdatum",
            "product_id": "Artikel",
            "quantity": "Stückzahl",
            "unit_price": "Preis in €",
        },
        {"currency": "EUR", "decimal": ",", "format": "%d.%m.%y %H:%M", "encoding": "windows-1252", "separator": ";"},
    ),
    "French": (
        lambda p: table(
            p,
            ["No client", "No commande", "Date", "Montant"],
            [
                [w, b, t.strftime("%d/%m/%Y"), comma(c * 100, "\N{NARROW NO-BREAK SPACE}")]
                for w, b, t, _, _, c in purchases()
            ],
            sign="\t",
        ),
        {"household_id": "No client", "basket_id": "No commande", "time": "Date", "sales_value": "Montant"},
        {"decimal": ",", "thousands": " ", "format": "%d/%m/%Y", "separator": "\t"},
    ),
    "American": (
        lambda p: table(
            p,
            ["UserID", "OrderId", "orderDate", "sku", "qty", "line_total_usd"],
            [
                [w, b, t.strftime("%m/%d/%Y %I:%M %p"), a, str(n), f"{n * c / 100:.2f}"]
                for w, b, t, a, n, c in purchases()
            ],
            sign="|",
        ),
        {
            "household_id": "UserID",
            "basket_id": "OrderId",
            "time": "orderDate",
            "product_id": "sku",
            "quantity": "qty",
            "sales_value": "line_total_usd",
        },
        {"currency": "USD", "format": "%m/%d/%Y %I:%M %p"},
    ),
    "Spanish": (
        lambda p: table(
            p,
            ["Número de cliente", "factura", "fecha de compra", "importe"],
            [[w, b, t.isoformat(), f"{c / 100:.2f} €"] for w, b, t, _, _, c in purchases()],
        ),
        {
            "household_id": "Número de cliente",
            "basket_id": "factura",
            "time": "fecha de compra",
            "sales_value": "importe",
        },
        {"currency": "EUR", "format": "iso"},
    ),
    "log": (
        lambda p: table(
            p,
            ["user_id", "ts", "amount"],
            [[w, str(int(t.timestamp() * 1000)), f"{c / 100:.2f}"] for w, _, t, _, _, c in purchases()],
        ),
        {"household_id": "user_id", "time": "ts", "sales_value": "amount"},
        {"format": "epoch_ms"},
    ),
    "music shop without a header": (
        lambda p: table(
            p,
            [],
            [["", w.zfill(7), t.strftime("%Y%m%d"), f" {n}", f"  {c / 100:.2f}"] for w, _, t, _, n, c in purchases()],
            sign=" ",
        ),
        {"household_id": "1", "time": "2", "quantity": "3", "sales_value": "4"},
        {"format": "%Y%m%d", "separator": " ", "header": False},
    ),
    "shop system with totals, freight and offsets": (
        lambda p: table(
            p,
            ["Name", "Email", "Currency", "Total", "Freight", "Created at", "Lineitem quantity", "Lineitem price"],
            [
                [
                    f"#{b}",
                    f"c{w}@example.org",
                    "EUR",
                    f"{9 * c / 100:.2f}",
                    "4.90",
                    f"{t} +0100",
                    str(n),
                    f"{c / 100:.2f}",
                ]
                for w, b, t, _, n, c in purchases()
            ],
        ),
        {
            "household_id": "Email",
            "time": "Created at",
            "basket_id": "Name",
            "quantity": "Lineitem quantity",
            "unit_price": "Lineitem price",
        },
        {"currency": "EUR", "format": "iso"},
    ),
    "nothing but single letters": (
        lambda p: table(
            p, ["k", "d", "x"], [[w, t.strftime("%Y-%m-%d"), f"{c / 100:.2f}"] for w, _, t, _, _, c in purchases()]
        ),
        {"household_id": "k", "time": "d", "sales_value": "x"},
        {"format": "iso"},
    ),
}


@pytest.mark.parametrize("name", SHOPS)
def test_columns_and_notation_are_found_in_any_language(name: str, tmp_path: Path) -> None:
    write, columns, notation = SHOPS[name]
    said = look(ShopFiles(write(tmp_path / "sales.csv"))).own["sales"]
    assert said["columns"] == columns
    told = {**said, **said["money"], **said["time"]}
    assert {key: told.get(key) for key in notation} == notation


def looked(tmp_path: Path, head: list[str], rows: list[list[str]], said: Said = MADE_UP) -> Proposal:
    return look(ShopFiles(table(tmp_path / "sales.csv", head, rows)), said)


def test_day_and_month_that_nothing_decides_are_asked_for(tmp_path: Path) -> None:
    rows = [["7", f"{d:02}/{m:02}/2024", "1.50"] for m in (3, 5, 1) for d in (9, 2, 11)]
    found = looked(tmp_path, ["customer", "date", "amount"], rows)
    (asked,) = (q for q in found.questions if q.about == "date")
    assert set(asked.options) == {"%d/%m/%Y", "%m/%d/%Y"}
    settled = looked(tmp_path, ["customer", "date", "amount"], rows, Said(date="%m/%d/%Y"))
    assert settled.own["sales"]["time"]["format"] == "%m/%d/%Y"
    assert "date" not in {q.about for q in settled.questions}


def test_what_nothing_tells_is_asked_and_the_law_stays_open(tmp_path: Path) -> None:
    found = looked(tmp_path, ["customer", "date", "amount"], [[r[0], f"{r[2]}", "5"] for r in purchases(60)])
    assert {q.about for q in found.questions} == {"currency", "zone", *LAW}
    legal = found.own["sales"]["legal"]
    assert {legal[f] for f in ("controller", "collected_from", "bases", "retention_days", "notice")} == {"open"}
    assert found.own["sales"]["money"]["currency"] == "XXX"


def test_a_proposal_tells_shapes_and_no_id(tmp_path: Path) -> None:
    rows = [[f"Q-{who}-Z", f"{when:%Y-%m-%d}", "5.25"] for who, _, when, *_ in purchases(80)]
    told = str(looked(tmp_path, ["customer", "date", "amount"], rows))
    assert "X-99999-X" in told
    assert not any(row[0] in told for row in rows)


def test_a_total_on_every_line_of_a_receipt_is_no_amount_of_a_line(tmp_path: Path) -> None:
    rows = [
        [f"{k % 9}", f"R{k}", f"2024-03-{k % 28 + 1:02}", f"A{n}", "2", f"{n + 1}.50", f"{k}7.00"]
        for k in range(40)
        for n in range(4)
    ]
    found = looked(tmp_path, ["customer", "receipt", "date", "sku", "qty", "price", "total"], rows)
    assert "sales_value" not in found.own["sales"]["columns"]
    assert found.own["sales"]["columns"]["unit_price"] == "price"
    assert any("total" in note for note in found.notes)


def test_columns_that_were_said_are_taken_and_those_that_are_not_there_are_named(tmp_path: Path) -> None:
    rows = [[who, f"{when:%Y-%m-%d}", "5", art] for who, _, when, art, *_ in purchases(60)]
    head = ["customer", "date", "amount", "other"]
    found = looked(tmp_path, head, rows, Said(columns={"household_id": "other"}))
    assert found.own["sales"]["columns"]["household_id"] == "other"
    with pytest.raises(ParamsError, match="no column 'nope'"):
        looked(tmp_path, head, rows, Said(columns={"time": "nope"}))
    with pytest.raises(ParamsError, match="no column 'colour' of ours"):
        looked(tmp_path, head, rows, Said(columns={"colour": "other"}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty, or no table"),
        (b"a,b\nx,y\nz,q\n", "no column was found for household_id, time"),
        (b"\x1f\x8bzz", "no whole gzip"),
        (b"PAR1 and nothing else", "no readable|not a readable"),
    ],
)
def test_what_is_no_table_of_sales_is_refused_in_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "sales.csv").write_bytes(content)
    with pytest.raises(DataError, match=said) as told:
        look(ShopFiles(tmp_path / "sales.csv"))
    assert told.value.hint


def test_a_spreadsheet_and_a_list_of_objections_without_a_header(tmp_path: Path) -> None:
    rows = [[int(who), when, cents / 100] for who, _, when, _, _, cents in purchases(90)]
    write_sheet(tmp_path / "sales.xlsx", [["customer", "when", "amount"], *rows])
    gone = table(tmp_path / "out.txt", [], [[f"{70_000 + n}"] for n in range(6)])
    found = look(ShopFiles(tmp_path / "sales.xlsx", opt_outs=gone))
    assert (found.own["sales"]["reads"], found.own["optouts"]["header"]) == ("excel", False)
    assert found.own["optouts"]["columns"] == {"household_id": "1"}


def test_files_of_one_shop_in_unlike_encodings_are_pointed_at(tmp_path: Path) -> None:
    sales = tmp_path / "sales.csv"
    lines = [f"{who};{when};{cents / 100};Größe" for who, _, when, _, _, cents in purchases(90)]
    sales.write_bytes("\n".join(["customer;date;amount;name", *lines]).encode("cp1252"))
    people = [f"{who};19{40 + int(who) % 50};příjmení" for who in sorted({who for who, *_ in purchases(90)})]
    crm = tmp_path / "crm.csv"
    crm.write_bytes("\n".join(["customer;birth year;word", *people]).encode("cp1250"))
    (note,) = (note for note in look(ShopFiles(sales, crm)).notes if "encoded" in note)
    assert "sales.csv windows-1252, crm.csv windows-1250" in note


def test_what_people_were_asked_is_told_by_the_basis_that_it_rests_on(shop: ShopFiles) -> None:
    asked = "People were asked for"
    own = [n for n in look(shop).notes if n.startswith(asked)]
    every = "twin training, twin scoring, offers, bias assessment"
    assert own == [f"{asked} {every}: that rests on their consent, and who did not answer is out."]
    said = [n for n in look(shop, replace(MADE_UP, basis="contract")).notes if n.startswith(asked)]
    assert said == [
        f"{asked} twin training, twin scoring, and it is said to rest on contract.",
        f"{asked} offers, bias assessment: that rests on their consent, and who did not answer is out.",
    ]


# Into a project.


def test_who_rests_on_a_legitimate_interest_is_told_where_it_is_signed(shop: ShopFiles) -> None:
    for basis, told in (("legitimate_interest", 1), ("contract", 0)):
        notes = look(shop, replace(MADE_UP, basis=basis)).notes
        assert sum("signed in compliance/interests.yaml" in note for note in notes) == told


def proposed(places: Places, files: ShopFiles, said: Said = MADE_UP, *, write: bool = True) -> Proposed:
    return propose(files, said, write, places=places)


@pytest.fixture
def shop(tmp_path: Path) -> ShopFiles:
    """The made-up web shop: `;`, decimal comma, Windows-1252, returns, a wide table of opt-ins."""
    folder = web(tmp_path / "web", customers=250)
    return ShopFiles(folder / "sales.csv", folder / "crm.csv", folder / "optins.csv")


def test_a_web_shop_is_declared_without_a_single_answer(shop: ShopFiles, tmp_path: Path) -> None:
    places = project(tmp_path / "project")
    before = (places.root / "params.yaml").read_text()
    done = proposed(places, shop)
    after = (places.root / "params.yaml").read_text()
    params = params_file.read(places.root / "params.yaml")
    sales, people, asked = (params.own.root[name] for name in ("sales", "customers", "optins"))
    assert sales.columns["unit_price"] == "Einzelpreis EUR"
    assert (sales.money.currency, sales.money.decimal, sales.cancelled) == ("EUR", ",", "C")
    assert set(people.columns) == {"household_id", "birth_year", "gender"}
    assert asked.answers[Purpose.OFFERS] == "Angebote"
    assert sales.legal.acted_on == asked.legal.acted_on == dict.fromkeys(Purpose, LegalBasis.CONSENT)
    assert sales.legal.open == ("controller", "collected_from", "notice", "retention_days")
    assert (params.vault.keys, params.switches.off("crm"), params.switches.off("demographics")) == (
        "store",
        True,
        False,
    )
    assert params.months == ("all",)
    assert (params.features.first_day, params.as_of) == (date(2023, 3, 1), date(2025, 3, 1))
    assert done.windows.params["evaluate"]["cutoffs"] == list(params.evaluate.cutoffs)
    assert done.checked[0].taken > 0.9 * done.checked[0].records
    assert [line for line in before.splitlines() if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")
    ]
    assert "  folder: null " in after
    assert not (places.root / "data").exists()
    assert proposed(places, shop).proposal == done.proposal
    assert (places.root / "params.yaml").read_text() == after


def test_what_was_proposed_is_collected_as_it_stands(shop: ShopFiles, tmp_path: Path) -> None:
    places, keys = project(tmp_path / "project"), MemoryKeys()
    done = proposed(places, shop)
    params = params_file.read(places.root / "params.yaml")
    fingerprint(OwnThings(places, params.own), sources=params.sources)
    around = {"places": places, "keys": keys, "sources": params.sources, "own": params.own}
    took = {
        source: supplied(collect, source, "all", engine=DuckDBEngine(threads=1), **around)
        for source in ("transactions", "demographics", "consent")
    }
    assert took["transactions"].taken == done.checked[0].taken
    assert took["demographics"].taken == 250
    assert took["consent"].taken == 4 * 250
    sealed = read_sealed(places.raw("demographics", "all"), dataset="demographics", keys=keys)
    assert {"sid", "age", "gender"} <= set(sealed.column_names)
    assert "birth_year" not in sealed.column_names
    assert {"18-24", "35-44", "65+"} <= set(sealed["age"].to_pylist())
    assert set(sealed["gender"].to_pylist()) >= {"m", "w", None}


def test_five_columns_are_enough_and_files_of_the_project_are_named_from_it(tmp_path: Path) -> None:
    places = project(tmp_path / "project")
    folder = five(places.root / "exports", members=120)
    assert not proposed(places, ShopFiles(folder / "sales.csv"), write=False).written
    assert params_file.read(places.root / "params.yaml").own.root == {}
    proposed(places, ShopFiles(folder / "sales.csv"))
    own = params_file.read(places.root / "params.yaml").own
    assert own.root["sales"].path == "exports/sales.csv"
    assert own.open["sales"] == ("bases", "controller", "collected_from", "notice", "retention_days")
    assert own.root["sales"].legal.acted_on == {
        Purpose.SCORING: LegalBasis.OPEN, Purpose.TRAINING: LegalBasis.OPEN,
    }  # fmt: skip


def test_real_people_s_data_are_refused_under_a_controller_who_is_made_up(shop: ShopFiles, tmp_path: Path) -> None:
    places = project(tmp_path / "demo")
    before = {path: path.read_bytes() for path in places.root.rglob("*") if path.is_file()}
    with pytest.raises(ParamsError, match="names a controller who is made up"):
        proposed(places, shop, Said())
    with pytest.raises(ParamsError, match="names a controller who is made up"):
        proposed(places, shop, Said(controller="Muster GmbH"))
    assert {path: path.read_bytes() for path in places.root.rglob("*") if path.is_file()} == before
    assert proposed(project(tmp_path / "named", synthetic=False), shop, Said(controller="Muster GmbH")).written


def test_files_that_are_not_about_the_same_customers_are_left_out(shop: ShopFiles, tmp_path: Path) -> None:
    strangers = table(tmp_path / "strangers.csv", ["id", "ok"], [["x1", "ja"], ["x2", "nein"]])
    (left,) = look(ShopFiles(shop.sales, strangers)).left_out
    assert left.file == "strangers.csv"
    assert "no column holds ids of customers" in left.what
    assert left.columns == ("id", "ok")


def test_answers_of_others_than_the_customers_are_refused(shop: ShopFiles, tmp_path: Path) -> None:
    strangers = table(tmp_path / "strangers.csv", ["id", "ok"], [["x1", "ja"], ["x2", "nein"]])
    with pytest.raises(DataError, match="no column holds ids of customers"):
        look(ShopFiles(shop.sales, opt_ins=strangers))


def test_opt_ins_without_a_day_hold_from_the_last_day_of_the_sales(shop: ShopFiles, tmp_path: Path) -> None:
    asked = table(
        tmp_path / "ok.csv", ["Kunde", "Newsletter", "Skifahrer"], [[f"{12_000 + n}", "j", "n"] for n in range(60)]
    )
    found = look(ShopFiles(shop.sales, opt_ins=asked))
    assert found.own["optins"]["undated_from"].startswith("2025-0")
    assert found.own["optins"]["answers"] == {"offers": "Newsletter"}
    assert found.own["sales"]["legal"]["bases"]["twin_training"] == "open"
    assert any("Skifahrer" in note for note in found.notes)


def test_the_command_shows_writes_on_yes_and_answers_in_json(shop: ShopFiles, tmp_path: Path) -> None:
    places = project(tmp_path / "project")

    def twinops(*words: str) -> Any:
        return CliRunner().invoke(app, ["--project", str(places.root), "sources", "propose", *words])

    shown = twinops(str(shop.sales), "--opt-ins", str(shop.opt_ins), "--synthetic")
    assert shown.exit_code == 0
    assert "nothing was written" in shown.stdout
    assert "open until a person says it" in shown.stdout
    done = twinops(str(shop.sales), "--synthetic", "--basis", "contract", "--zone", "Europe/Berlin", "--yes", "--json")
    assert json.loads(done.stdout)["written"] is True
    said = yaml.safe_load((places.root / "params.yaml").read_text())["own"]["sales"]
    assert said["legal"]["bases"] == {"twin_training": "contract", "twin_scoring": "contract"}
    assert twinops("nowhere.csv", "--yes").exception.exit_code == 3
    assert twinops(str(shop.sales), "--column", "time", "--yes").exception.exit_code == 2
    days = table(
        tmp_path / "days.csv", ["customer", "date", "amount"], [["1", "2024-02-31", "x"], ["2", "2024-02-30", "y"]]
    )
    assert twinops(str(days), "--synthetic", "--yes").exception.exit_code == 3


@pytest.mark.parametrize(
    ("head", "cells", "money"),
    [
        ("total_kwd", ["12.340", "9.875", "21.500"], {"currency": "KWD", "minor_units": 3, "rounded_to": "hundredths"}),
        ("amount_cents", ["1999", "250", "1250"], {"currency": "XXX", "written_in": "minor"}),
        ("harga idr", ["25.500", "12.000", "118.000"], {"currency": "IDR", "decimal": ",", "thousands": "."}),
    ],
)
def test_amounts_in_minor_units_or_of_three_digits_are_read_as_they_are_meant(
    head: str, cells: list[str], money: dict[str, Any], tmp_path: Path
) -> None:
    days = [f"2024-0{1 + n % 6}-{1 + n % 27:02}" for n in range(120)]
    rows = [f"{n % 30 + 1},{n},{days[n]},{cells[n % 3]}" for n in range(120)]
    file = tmp_path / "sales.csv"
    file.write_text("\n".join([f"customer,session,day,{head}", *rows]) + "\n", encoding="utf-8")
    proposal = look(ShopFiles(file), Said())
    said = proposal.own["sales"]
    assert said["money"] == money
    assert said["columns"]["sales_value"] == head
    assert said["columns"]["basket_id"] == "session"


# The files around the sales.

AROUND = ("campaigns", "campaign_customers", "redemptions", "products", "panel")


def around(shop: ShopFiles, *names: str) -> ShopFiles:
    return replace(shop, more=tuple(str(shop.sales.parent / f"{name}.csv") for name in names))


def test_files_around_the_sales_are_told_apart_by_their_columns(shop: ShopFiles, tmp_path: Path) -> None:
    places = project(tmp_path / "project")
    done = proposed(places, around(shop, *AROUND))
    own = params_file.read(places.root / "params.yaml").own.root
    assert [own[name].kind for name in AROUND] == list(AROUND)
    assert own["campaigns"].columns == {
        "campaign_id": "Kampagne", "campaign_type": "Art", "start_date": "Beginn", "end_date": "Ende",
    }  # fmt: skip
    assert own["redemptions"].columns["redemption_date"] == "Eingelöst am"
    assert own["panel"].scales == {"preisbewusstsein": (-4.0, 4.0)} or own["panel"].scales["preisbewusstsein"][0] < 0
    assert own["panel"].columns["baskets_per_4_weeks"] == "Käufe je 4 Wochen"
    assert {c.kind: c.taken for c in done.checked} | {"products": 160, "panel": 800} == {
        c.kind: c.taken for c in done.checked
    }
    switches = params_file.read(places.root / "params.yaml").switches
    assert not any(switches.off(name) for name in ("campaigns", "redemptions", "panelists"))


def test_nothing_of_the_law_of_other_people_is_taken_from_the_customers(shop: ShopFiles, tmp_path: Path) -> None:
    places = project(tmp_path / "project")
    proposed(places, around(shop, *AROUND))
    own = params_file.read(places.root / "params.yaml").own
    assert own.root["redemptions"].legal.acted_on[Purpose.TRAINING] is LegalBasis.CONSENT, "they were asked"
    assert "bases" in own.open["panel"], "panelists agreed to something else, and nobody has said to what"
    assert own.open["products"] == ("special_categories",)
    assert own.root["products"].special == {
        "pregnancy_and_infants": ("Babyspielzeug",),
        "religion": ("Weihnachtsdeko",),
    }
    assert "campaigns" not in own.open, "a list of campaigns tells of nobody"


def test_the_order_in_which_files_are_named_does_not_matter(shop: ShopFiles, tmp_path: Path) -> None:
    one, other = (look(around(shop, *names), MADE_UP).own for names in (AROUND, AROUND[::-1]))
    assert one == other


@pytest.mark.parametrize(
    ("head", "rows", "kind"),
    [
        (["customer_id", "campaign", "sent_at"], [["{who}", "C{n}", "2024-03-0{d}"]], "campaign_customers"),
        (["member", "promotion", "redeemed_on"], [["{who}", "C{n}", "2024-03-0{d}"]], "redemptions"),
        (["campaign_code", "channel", "start_date", "end_date"], [["C{i}", "mail", "2024-03-0{d}", ""]], "campaigns"),
        (["sku", "category"], [["A{n}", "Group {n}"]], "products"),
        (["respondent_id", "age", "trust"], [["R{i}", "25-34", "{d}"]], "panel"),
    ],
)
def test_other_names_of_the_same_are_known_too(
    tmp_path: Path, head: list[str], rows: list[list[str]], kind: str
) -> None:
    sold = purchases()
    sales = table(
        tmp_path / "sales.csv",
        ["customer_id", "receipt", "date", "sku", "qty", "price_eur"],
        [[w, b, t.isoformat(), a, str(n), str(c / 100)] for w, b, t, a, n, c in sold],
    )
    told = [
        [cell.format(who=sold[i][0], n=i % 30, d=1 + i % 7, i=i) for cell in row] for i in range(60) for row in rows
    ]
    told = [list(row) for row in dict.fromkeys(map(tuple, told))]
    other = table(tmp_path / "other.csv", head, told[:30] if kind == "products" else told)
    found = look(ShopFiles(sales, more=(str(other),)), MADE_UP).own
    assert kind in found


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_catalogue_in_order_is_known_though_its_beginning_was_never_sold(tmp_path: Path, suffix: str) -> None:
    """Most of its articles were not sold, and those that were stand behind what is looked at first."""
    sold = purchases()
    numbers = {a: 900_000 + n for n, a in enumerate(sorted({a for _, _, _, a, _, _ in sold}))}
    sales = table(
        tmp_path / "sales.csv",
        ["customer_id", "receipt", "date", "sku", "qty", "price_eur"],
        [[w, b, t.isoformat(), str(numbers[a]), str(n), str(c / 100)] for w, b, t, a, n, c in sold],
    )
    every = [str(n) for n in range(850_000, 900_000 + len(numbers))]
    groups = [f"Group {int(n) % 30}" for n in every]
    if suffix == "csv":
        goods = table(tmp_path / "goods.csv", ["sku", "category"], [list(r) for r in zip(every, groups, strict=True)])
    else:
        goods = tmp_path / "goods.parquet"
        pq.write_table(pa.table({"sku": every, "category": groups}), goods)
    found = look(ShopFiles(sales, more=(str(goods),)), MADE_UP)
    assert found.left_out == ()
    assert found.own["products"]["columns"] == {"product_id": "sku", "product_category": "category"}
    other = table(tmp_path / "other.csv", ["sku", "category"], [[f"X{n}", "Y"] for n in range(60)])
    assert [t.file for t in look(ShopFiles(sales, more=(str(other),)), MADE_UP).left_out] == ["other.csv"]


def test_a_file_that_is_nothing_known_is_left_out_and_told_with_its_columns(shop: ShopFiles, tmp_path: Path) -> None:
    odd = table(tmp_path / "odd.csv", ["colour", "mood"], [["red", "glad"], ["blue", "sad"]])
    (left,) = look(replace(shop, more=(str(odd),)), MADE_UP).left_out
    assert re.search(r"odd.csv: it is not of a kind that is known .* Its columns are colour, mood", str(left))
    (left,) = look(replace(shop, more=(f"redemptions={odd}",)), MADE_UP).left_out
    assert "odd.csv: it is not a file of redemptions" in str(left)
    empty = table(tmp_path / "empty.csv", ["Kampagne", "Art", "Beginn", "Ende"], [], sign=";")
    assert [t.file for t in look(replace(shop, more=(str(empty),)), MADE_UP).left_out] == ["empty.csv"]


def test_of_two_files_of_one_kind_the_second_is_left_out(shop: ShopFiles) -> None:
    found = look(around(shop, "campaigns", "campaigns"), MADE_UP)
    assert "campaigns" in found.own
    assert ["two of the files hold campaigns" in t.what for t in found.left_out] == [True]


def test_a_list_of_customers_is_no_panel_unless_somebody_says_so(shop: ShopFiles) -> None:
    found = look(around(shop, "crm"), MADE_UP)
    assert "panel" not in found.own
    assert ["not of a kind that is known" in t.what for t in found.left_out] == [True]


def test_contacts_are_counted_in_the_shop_s_horizon_until_an_officer_adopts_a_policy(
    shop: ShopFiles, tmp_path: Path
) -> None:
    places = project(tmp_path / "project")
    shipped = (ROOT / "compliance/policy.yaml").read_text(encoding="utf-8")
    path = places.compliance / "policy.yaml"
    path.write_text(left_open({"compliance/policy.yaml": shipped})["compliance/policy.yaml"], encoding="utf-8")
    proposed(places, shop)
    horizon = params_file.read(places.root / "params.yaml").features.horizon_days
    assert horizon != 28
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["influence"]["window_days"] == horizon
    path.write_text(shipped, encoding="utf-8")
    proposed(places, shop)
    assert path.read_text(encoding="utf-8") == shipped


def test_remarks_stand_near_what_was_written(shop: ShopFiles, tmp_path: Path) -> None:
    places = project(tmp_path / "project")
    proposed(places, shop)
    lines = (places.root / "params.yaml").read_text(encoding="utf-8").splitlines()
    far = [line for line in lines if re.search(r"\S {9,}# ", line) and line.index("# ") > 40]
    assert far == []
    assert next(line for line in lines if line.startswith("months:")).startswith("months: [all]       # one")


def test_what_people_wrote_is_told_by_its_columns_and_whose_it_is_is_found(shop: ShopFiles, tmp_path: Path) -> None:
    places = project(tmp_path / "project")
    done = proposed(places, around(shop, "comments", "service"))
    own = params_file.read(places.root / "params.yaml").own
    assert own.root["comments"].columns == {"account": "Absender", "time": "Zeit", "text": "Text"}
    assert own.root["accounts"].columns == {"account": "Absender", "email": "Absender", "time": "Zeit"}
    assert own.root["service"].by_customer
    assert own.root["registrations"].columns["email"] == "E-Mail", "accounts are found by the customers' addresses"

    assert own.root["comments"].language == "en"
    assert all("bases" in own.open[name] for name in ("comments", "accounts", "service", "registrations"))
    asked = {q.about: q for q in done.proposal.questions}
    assert "comments, accounts, service, registrations" in asked["texts_basis"].text
    switches = params_file.read(places.root / "params.yaml").switches
    assert not any(switches.off(name) for name in ("social_comments", "social_accounts", "care_cases", "registrations"))


def test_long_questions_are_kept_where_dvc_can_read_them_again(shop: ShopFiles, tmp_path: Path) -> None:
    question = "Would you like to hear about offers by mail (we send one a month)?"
    places = project(tmp_path / "project")
    found = proposed(places, shop, write=False)
    found.proposal.own["optins"]["codes"] = {"event": {question: "yes"}}
    put(found, places)
    raw = yaml.safe_load(places.params.read_text(encoding="utf-8"))
    assert raw["own"]["optins"]["codes"]["event"] == [[question, "yes"]]
    assert loads_yaml(dumps_yaml(raw)) == raw, "as dvc.lock is written and read"
    assert params_file.read(places.params).own.root["optins"].codes == {"event": {question: "yes"}}
    raw["own"]["optins"]["codes"]["event"] = {question: "yes"}
    with pytest.raises(ParamsError, match=r"own\.optins\.codes a word of more than 50 signs is a key"):
        params_file.parse(raw)


def test_comments_that_name_customers_need_no_names_and_german_ones_tell_no_mood(
    shop: ShopFiles, tmp_path: Path
) -> None:
    ids = [line.partition(";")[0] for line in shop.customers.read_text(encoding="cp1252").splitlines()[1:41]]
    rows = [[i, "05.03.2024 10:00", "Die Lieferung war leider nicht gut und kam zu spät"] for i in ids]
    table(shop.sales.parent / "kommentare.csv", ["Kunde", "Datum", "Kommentar"], rows, sign=";")
    places = project(tmp_path / "project")
    done = proposed(places, around(shop, "kommentare"))
    own = params_file.read(places.root / "params.yaml").own.root
    assert own["comments"].columns == {"household_id": "Kunde", "time": "Datum", "text": "Kommentar"}
    assert own["comments"].language == "de"
    assert not {"accounts", "registrations"} & set(own)
    assert any("is in German, and only English is read" in note for note in done.proposal.notes)


def test_a_folder_of_exports_is_told_by_its_shape(shop: ShopFiles, tmp_path: Path) -> None:
    folder = shop.sales.parent / "exports"
    for name, members in (("anna", mastodon()), ("bert", x())):
        zipped(folder / f"{name}.zip", members)
    places = project(tmp_path / "project")
    done = proposed(places, replace(shop, more=(str(folder),)), replace(MADE_UP, texts_basis="contract"))
    own = params_file.read(places.root / "params.yaml").own.root
    assert (own["social"].reads, own["accounts"].reads) == ("archives", "archives")
    assert own["social"].legal.bases == dict.fromkeys(TWIN, LegalBasis.CONTRACT)
    assert {c.name: c.taken // 10 for c in done.checked if c.name in ("social", "accounts")} == {
        "social": 0,
        "accounts": 0,
    }
    assert not any(q.about == "texts_basis" for q in done.proposal.questions)


# What people were asked for beside the twin.


def test_a_purpose_that_a_ledger_of_answers_names_rests_on_consent_and_has_columns(tmp_path: Path) -> None:
    sales = table(
        tmp_path / "sales.csv",
        ["customer", "date", "amount"],
        [[w, t.strftime("%Y-%m-%d"), f"{c / 100:.2f}"] for w, _, t, _, _, c in purchases()],
    )
    asked = [[f"{70_000 + n}", "marketing", "yes" if n % 3 else "no", "2024-01-02"] for n in range(40)]
    opt_ins = table(tmp_path / "optins.csv", ["customer", "purpose", "answer", "date"], asked)
    found = look(ShopFiles(sales, opt_ins=opt_ins), replace(MADE_UP, basis="contract"))
    for source in ("sales", "optins"):
        legal = found.own[source]["legal"]
        assert legal["bases"] == dict.fromkeys(TWIN, "contract") | {"offers": "consent"}
        assert "offers" in legal["purposes"]["household_id"]
