"""Deposits and vouchers are no purchases, and who was held back to compare was not contacted: their words tell it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.look import look as look_at
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look
from twinops.own_params import OwnParams


def sales(folder: Path, kinds: tuple[str, ...] = ("Zboží", "Záloha", "Dárkový poukaz", "Služba")) -> Path:
    """Sixty people who buy on 27 days: one line of the first kind, and of each other a tenth as many."""
    lines = ["datum;doklad;karta;kod;typ;kusy;castka"]
    for day in range(1, 28):
        for who in range(60):
            receipt = f"{day:02}{who:03}"
            lines.append(f"{day:02}.03.2025;{receipt};C{who};{who % 7 + 10};{kinds[0]};1;{who + 1},50")
            if who % 10 == 0:
                lines += [f"{day:02}.03.2025;{receipt};C{who};99;{kind};1;50,00" for kind in kinds[1:]]
    path = folder / "sales.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def source(found: Proposal, name: str, root: Path) -> DeclaredSource:
    own = OwnParams.model_validate_json(json.dumps({name: found.own[name]}, default=str))
    return declared(own, name, root=root, max_rows=1_000_000)


@pytest.mark.parametrize(
    "kinds",
    [
        ("Zboží", "Záloha", "Dárkový poukaz", "Služba"),
        ("Ware", "Pfand", "Geschenkgutschein"),
        ("goods", "deposit", "voucher"),
        ("Towar", "Kaucja", "Bon"),
        ("Varer", "Depositum", "Gavekort"),
        ("Tuote", "Pantti", "Lahjakortti"),
    ],
)
def test_only_goods_count_as_spend_and_the_rest_is_counted(kinds: tuple[str, ...], tmp_path: Path) -> None:
    found = look(ShopFiles(sales(tmp_path, kinds)), Said(synthetic=True))
    assert found.own["sales"]["only"] == {"typ": [kinds[0]]}
    assert any("tells which rows count" in note for note in found.notes)
    looked = look_at(source(found, "sales", tmp_path))
    assert looked.taken == 27 * 60
    assert looked.left_out == {"not counted by typ": 27 * 6 * (len(kinds) - 1)}


def test_whoever_sells_services_says_so(tmp_path: Path) -> None:
    said = Said(synthetic=True, codes={"sales.counts:Služba": "yes"})
    found = look(ShopFiles(sales(tmp_path)), said)
    assert found.own["sales"]["only"] == {"typ": ["Služba", "Zboží"]}


def test_a_column_of_few_words_that_tell_nothing_leaves_no_row_out(tmp_path: Path) -> None:
    found = look(ShopFiles(sales(tmp_path, ("red", "green", "blue"))), Said(synthetic=True))
    assert "only" not in found.own["sales"]


def test_who_was_held_back_is_not_taken_for_contacted(tmp_path: Path) -> None:
    rows = [f"K1;C{who};01.03.2025;{'kontrola' if who % 5 == 0 else 'zásah'}" for who in range(60)]
    path = tmp_path / "who.csv"
    path.write_text("\n".join(["kampan;karta;odeslano;skupina", *rows, ""]), encoding="utf-8")
    said = Said(synthetic=True, columns={"campaign_customers.campaign_id": "kampan"})
    found = look(ShopFiles(sales(tmp_path), more=(f"campaign_customers={path}",)), said)
    assert found.own["campaign_customers"]["only"] == {"skupina": ["zásah"]}
    looked = look_at(source(found, "campaign_customers", tmp_path))
    assert (looked.taken, looked.left_out) == (48, {"not counted by skupina": 12})


def test_a_list_with_receipts_is_of_who_redeemed_and_not_of_who_got_it(tmp_path: Path) -> None:
    rows = [f"K1;C{who};03{who:03};{who % 27 + 1:02}.03.2025;5,00" for who in range(60)]
    path = tmp_path / "used.csv"
    path.write_text("\n".join(["Kód kampaně;Číslo karty;Číslo dokladu;Datum;Sleva Kč", *rows, ""]), encoding="utf-8")
    own: dict[str, Any] = look(ShopFiles(sales(tmp_path), more=(str(path),)), Said(synthetic=True)).own
    assert own["redemptions"]["columns"]["redemption_date"] == "Datum"
    assert "campaign_customers" not in own


def test_a_desk_hears_of_many_who_bought_nothing_lately_and_is_one_all_the_same(tmp_path: Path) -> None:
    rows = [f"R{n};0{1 + n % 9}.03.2025;Zwrot;{f'C{n}' if n < 20 else f'C{900 + n}'};tekst" for n in range(200)]
    path = tmp_path / "reklamacje.csv"
    path.write_text("\n".join(["nr_zgloszenia;data;kategoria;nr_klienta;tresc", *rows, ""]), encoding="utf-8")
    found = look(ShopFiles(sales(tmp_path), more=(f"service={path}",)), Said(synthetic=True))
    columns = found.own["service"]["columns"]
    assert (columns["household_id"], columns["category"], columns["time"]) == ("nr_klienta", "kategoria", "data")


def test_a_group_of_contacted_and_held_back_is_not_advised_as_the_campaign(tmp_path: Path) -> None:
    rows = [f"C{who};{'réserve' if who % 5 == 0 else 'contacté'};01.03.2025;" for who in range(60)]
    path = tmp_path / "campagne.csv"
    path.write_text("\n".join(["carte;Groupe;Envoyé le;Retour", *rows, ""]), encoding="utf-8")
    found = look(ShopFiles(sales(tmp_path), more=(str(path),)), Said(synthetic=True))
    assert "campaign_customers" not in found.own
    assert not any("campaign_id=Groupe" in option for trouble in found.left_out for option in trouble.options)
