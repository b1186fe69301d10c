"""Whom the customers' file itself says no offer should reach is pointed at, and kept out where the owner says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.proposing.drafting import Said, Troubled
from twinops.data.own_sources.proposing.proposal import Proposal, ShopFiles, look
from twinops.data.own_sources.reading import read
from twinops.entities.consent import Purpose
from twinops.errors import TwinopsError
from twinops.own_params import OwnParams

REMARKS = {1: "Zmarł(a) 2024", 2: "pracownik", 3: "nie kontaktować!", 4: "na wózku", 5: "prosi o fakturę"}


def shop(folder: Path) -> ShopFiles:
    rows = [f"2025-{m:02}-{d:02},R{m}{d}{k},C{k:03},11,1,{k}.50"
            for m in range(1, 7) for d in (3, 17) for k in range(1, 41)]  # fmt: skip
    (folder / "sales.csv").write_text("\n".join(["date,receipt,customer,article,pieces,amount", *rows, ""]))
    kinds = ["firma" if k > 30 else "osoba" for k in range(1, 41)]
    people = [f"C{k:03};{kind};{REMARKS.get(k, '')}" for k, kind in zip(range(1, 41), kinds, strict=True)]
    (folder / "people.csv").write_text("\n".join(["nr;typ;uwagi", *people, ""]), encoding="utf-8")
    return ShopFiles(folder / "sales.csv", folder / "people.csv")


def proposed(folder: Path, **codes: str) -> Proposal:
    said = {f"customers.{place.replace('__', ':')}": words for place, words in codes.items()}
    return look(shop(folder), Said(synthetic=True, offers_basis="legitimate_interest", codes=said))


def out(found: Proposal, name: str, root: Path) -> set[tuple[str, str]]:
    own: dict[str, Any] = {name: found.own[name]}
    source = declared(OwnParams.model_validate_json(json.dumps(own, default=str)), name, root=root, max_rows=10_000)
    return {(r["household_id"], r["purpose"]) for r in read(source, "all").rows.to_pylist()}


def test_such_words_are_counted_with_the_option_that_acts_on_them_and_nothing_is_done(tmp_path: Path) -> None:
    found = proposed(tmp_path)
    assert set(found.own) == {"sales", "customers"}
    kinds, remarks = (next(n for n in found.notes if n.startswith(f"{c} of people.csv")) for c in ("typ", "uwagi"))
    assert "firms: 10" in kinds
    assert "--code customers.no_offers:typ=firma" in kinds
    assert "no longer alive: a few, staff: a few, wished no letters: a few" in remarks
    assert "--code 'customers.no_offers:uwagi=Zmarł(a) 2024,nie kontaktować!,pracownik'" in remarks


def test_whoever_has_the_words_gets_no_offers_and_everybody_else_stays(tmp_path: Path) -> None:
    found = proposed(tmp_path, no_offers__typ="firma", no_offers__uwagi="pracownik,nie kontaktować")
    wanted = {f"C{k:03}" for k in (2, 3, *range(31, 41))}
    assert out(found, "no_offers", tmp_path) == {(who, "offers") for who in wanted}


def test_whoever_is_said_to_be_left_out_is_out_of_every_purpose(tmp_path: Path) -> None:
    found = proposed(tmp_path, left_out__uwagi="zmarl*", no_offers__typ="firma")
    assert out(found, "left_out", tmp_path) == {("C001", str(p)) for p in Purpose}
    assert len(out(found, "no_offers", tmp_path)) == 10


def test_a_word_that_stands_nowhere_is_told_and_not_taken(tmp_path: Path) -> None:
    with pytest.raises((TwinopsError, Troubled), match="holds zombie"):
        proposed(tmp_path, no_offers__uwagi="zombie")


@pytest.mark.parametrize(
    ("state", "tells"),
    [
        ("Opgeheven", "account closed"),
        ("megszűnt", "account closed"),
        ("gesperrt", "account closed"),
        ("zablokowany", "account closed"),
        ("zrušená", "account closed"),
        ("Samengevoegd", "merged into another"),
        ("összevont", "merged into another"),
        ("zusammengeführt", "merged into another"),
        ("sloučená", "merged into another"),
        ("Kind", "children"),
        ("gyermek", "children"),
        ("dětská", "children"),
        ("menores", "children"),
    ],
)
def test_a_state_or_a_kind_of_card_that_ends_or_bars_contact_is_named(tmp_path: Path, state: str, tells: str) -> None:
    files = shop(tmp_path)
    people = [f"C{k:03};{state if k > 30 else 'X1'}" for k in range(1, 41)]
    (tmp_path / "people.csv").write_text("\n".join(["nr;status", *people, ""]), encoding="utf-8")
    note = next(n for n in look(files, Said(synthetic=True)).notes if n.startswith("status of people.csv"))
    assert f"({tells}: 10)" in note
    assert f"customers.no_offers:status={state}" in note
