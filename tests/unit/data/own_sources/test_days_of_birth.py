"""A day of birth is one in whatever language and however short its name is, and never the day of anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look
from twinops.data.own_sources.recognising import of_birth

NAMES = ("Geb.datum", "geboortedatum", "data_urodzenia", "születési idő", "Szül. dátum", "narození", "Dat. nar.",
         "Fecha nac.", "dt_nasc", "Date naiss.", "Født dato", "Födelsedatum", "Doğum tarihi", "дата рождения",
         "Date de naissance", "syntymäaika", "Geb.jaar")  # fmt: skip
OTHERS = ("Datum", "Inschrijfdatum", "Geb.plaats", "születési hely", "Geburtsname", "Year", "data zakupu", "Narancs")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_known_by_its_name(name: str) -> None:
    assert of_birth(name)


@pytest.mark.parametrize("name", OTHERS)
def test_other_days_and_other_things_of_a_birth_are_none(name: str) -> None:
    assert not of_birth(name)


def shop(folder: Path, head: str = "date,receipt,customer,article,pieces,amount", *, more: str = "") -> Path:
    rows = [f"2025-{m:02}-{d:02},R{m}{d}{k},C{k:03},11,1,{k}.50{more}"
            for m in range(1, 7) for d in (3, 17) for k in range(1, 41)]  # fmt: skip
    (folder / "sales.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    born = [f"C{k:03};{k % 28 + 1:02}-05-19{50 + k};k{k}@mail.example;{k % 28 + 1:02}-03-2024" for k in range(1, 41)]
    (folder / "people.csv").write_text("\n".join(["nr;Geb.datum;E-mail;Inschrijfdatum", *born, ""]))
    return folder / "sales.csv"


def proposed(folder: Path, *, more: tuple[str, ...] = (), answers: Path | None = None) -> Proposal:
    return look(ShopFiles(shop(folder), folder / "people.csv", answers, more=more), Said(synthetic=True))


def test_it_bands_customers_by_age_and_is_not_the_day_of_their_registration(tmp_path: Path) -> None:
    found = proposed(tmp_path, more=(f"registrations={tmp_path / 'people.csv'}",)).own
    assert found["customers"]["columns"]["birth_year"] == "Geb.datum"
    assert found["registrations"]["columns"]["time"] == "Inschrijfdatum"


def test_it_is_not_the_day_of_an_answer(tmp_path: Path) -> None:
    said = [f"C{k:03};{k % 28 + 1:02}-05-19{50 + k};ja;{k % 28 + 1:02}-03-2024" for k in range(1, 41)]
    answers = tmp_path / "answers.csv"
    answers.write_text("\n".join(["nr;Geb.datum;Aanbiedingen;Gezegd op", *said, ""]))
    found = proposed(tmp_path, answers=answers).own
    assert found["optins"]["columns"].get("time") == "Gezegd op"


def test_it_is_not_the_day_of_a_sale(tmp_path: Path) -> None:
    shop(tmp_path, "gekocht,receipt,customer,article,pieces,amount,Geb.datum", more=",1980-01-02")
    found = look(ShopFiles(tmp_path / "sales.csv"), Said(synthetic=True)).own
    assert found["sales"]["columns"]["time"] == "gekocht"
