"""What shops of many countries call their columns is known: every column of every kind, in every claimed language."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.more_files import in_four_weeks, tells_day
from twinops.data.own_sources.proposing.proposal import ShopFiles, look
from twinops.data.own_sources.recognising import born, fit, speaks_of, words
from twinops.own_kinds import form

Place = tuple[str, ...]


@cache
def named() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("column_names.yaml").read_text(encoding="utf-8"))
    return found


def roles(tree: dict[str, Any], at: Place = ()) -> Iterator[tuple[Place, Any]]:
    for name, below in tree.items():
        yield from roles(below, (*at, name)) if isinstance(below, dict) else [((*at, name), below)]


def role_of(place: Place) -> list[str]:
    found: Any = words()
    for step in place:
        found = found[step]
    return list(found)


def is_known(place: Place, name: str) -> bool:
    """As the proposal asks it of this place."""
    role, ours = role_of(place), place[-1]
    if place[0] == "purposes" or ours == "returns_of":
        return speaks_of(name, role)
    if place[0] == "profiles" or ours == "birth_year":
        return born(name, role)
    kind = form(place[1]).columns.get(ours) if place[0] == "files" else {"time": "moment"}.get(ours)
    score = fit(name, role, an_id=ours.endswith("_id") or kind in ("identity", "code", "link"))
    if kind == "figure":
        return score > 0 and in_four_weeks(name)
    if kind in ("moment", "until"):
        return max(score, tells_day(name, role)) > 0
    return score > 1


def test_every_column_is_known_by_its_name_in_every_language_that_the_words_claim() -> None:
    unknown = [
        f"{'.'.join(place)}: {name} ({language})"
        for place, listed in roles(named())
        for language, name in zip(words()["languages"], map(str.strip, listed.split("|")), strict=True)
        if not is_known(place, name)
    ]
    assert unknown == []


@pytest.mark.parametrize("name", ["gosto_novidade", "gusto_novedad", "cidade", "actividad"])
def test_what_ends_like_an_age_is_none(name: str) -> None:
    assert not born(name, words()["profiles"]["age"])
    assert not is_known(("files", "panel", "age"), name)


def test_no_column_that_has_words_is_left_out_of_the_languages() -> None:
    sections = {name: words()[name] for name in ("columns", "lines", "profiles", "purposes", "ledger", "files")}
    claimed = {place for place, _ in roles(sections)}
    # ids of customers are known by the ids in the sales
    by_ids = {p for p in claimed if p[0] == "files" and p[-1] in ("household_id", "product_id")}
    by_ids |= {("files", k, c) for k, c in (("service", "account"), ("campaign_customers", "campaign_id"))}
    by_ids |= {("files", "campaigns", "campaign_id")}  # the same words as of redemptions
    assert claimed - by_ids == {place for place, _ in roles(named())}


GOODS = ("product_id", "", "product_category", "product_type")
CASES = ("event_id", "household_id", "time", "closed", "category", "channel", "outcome", "satisfaction")
WHO = [f"K{n:05}" for n in range(40)]


def file(path: Path, head: str, rows: list[str]) -> Path:
    path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("goods", "cases"),
    [
        ("Artikelnr;Benämning;Varugrupp;Varutyp", "Ärendenr;Kundnr;Öppnat;Stängt;Ärendetyp;Kanal;Utfall;Nöjdhet"),
        ("Varenr;Navn;Varegruppe;Varetype", "Sagsnr;Kundenr;Oprettet;Lukket;Sagstype;Kanal;Udfald;Tilfredshed"),
        (
            "Tuotenro;Nimi;Tuoteryhmä;Tuotetyyppi",
            "Tapausnro;Asiakas;Avattu;Suljettu;Asiatyyppi;Kanava;Tulos;Arvosana",
        ),
        ("Kod towaru;Nazwa;Grupa towarowa;Typ produktu", "Nr sprawy;Klient;Otwarto;Zamknięto;Rodzaj;Kanał;Wynik;Ocena"),
    ],
)
def test_goods_and_cases_of_a_northern_shop_are_read_whole(goods: str, cases: str, tmp_path: Path) -> None:
    days = [f"2025-{1 + n % 12:02}-{1 + n % 28:02}" for n in range(400)]
    sold = [f"{WHO[n * 7 % 40]};R{n};{1_000 + n % 12};1;{3 + n % 9},50;{day}" for n, day in enumerate(days)]
    listed = [f"{1_000 + n};Sak {n};{'AB'[n % 2]}x;{'CDE'[n % 3]}y" for n in range(12)]
    words_of = [f"{'gh'[n % 2]}a;{'pq'[n % 2]}b;{'uv'[n % 2]}c" for n in range(40)]
    told = [f"F{n};{w};2025-03-0{1 + n % 9};2025-04-01;{words_of[n]};{1 + n % 5}" for n, w in enumerate(WHO)]
    more = (file(tmp_path / "goods.csv", goods, listed), file(tmp_path / "cases.csv", cases, told))
    sales = file(tmp_path / "sales.csv", "customer_id;receipt;article;quantity;price;date", sold)
    found = look(ShopFiles(sales, more=tuple(map(str, more))), Said()).own
    pairs = {ours: theirs for ours, theirs in zip(GOODS, goods.split(";"), strict=True) if ours}
    assert found["products"]["columns"] == pairs
    assert found["service"]["columns"] == dict(zip(CASES, cases.split(";"), strict=True))
