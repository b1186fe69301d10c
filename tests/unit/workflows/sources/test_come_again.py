"""Whoever was erased and comes again under a new number is kept away whole: a file of yours gives her address to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_world import CONSENT, PROFILES, RETAIL, Shop, line, write_csv
from people_wrote import declared, table

from twinops.adapters.keystore import SqliteKeyStore
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.entities.erasure import Erasing

HERS, AGAIN, HUSBAND, OTHER = "1001", "9009", "1002", "3003"
FORMS = declared(
    "registrations", {"household_id": "id", "email": "mail", "time": "at"}, path="forms.csv", separator=";"
)
SOURCES = (("transactions", "2024-03"), ("demographics", "all"), ("consent", "all"), ("registrations", "all"))


def shop_of(root: Path, **mails: str) -> Shop:
    """Everybody of whom there is an address bought, answered and told their age."""
    shop = Shop(root, shop=RETAIL, people=PROFILES, answers=CONSENT, forms=FORMS)
    told = {number.removeprefix("n"): mail for number, mail in mails.items()}
    write_csv(shop.file("retail.csv"), [line(**{"Customer ID": n, "InvoiceNo": f"5{n}"}) for n in told])
    shop.file("people.csv").write_text(table("id,band", *(f"{n},25-34" for n in told)), encoding="utf-8")
    rows = (f"{n},yes,2024-01-05T08:00:00" for n in told)
    shop.file("consent.csv").write_text(table("id,what,at", *rows), encoding="utf-8")
    forms = (f"{n};{mail};05.01.2024 08:00" for n, mail in told.items())
    shop.file("forms.csv").write_text(table("id;mail;at", *forms), encoding="utf-8")
    return shop


@pytest.mark.parametrize("kept", ["memory", "database"])
def test_her_address_under_a_new_number_keeps_everything_of_it_away(tmp_path: Path, kept: str) -> None:
    keys = MemoryKeys() if kept == "memory" else SqliteKeyStore(tmp_path / "keys")
    before = shop_of(tmp_path, n1001="karen@mail.example", n1002="jens@mail.example", n3003="ann@mail.example")
    before.keys = keys  # type: ignore[assignment]
    for source in SOURCES:
        before.collect(*source)
    if isinstance(keys, MemoryKeys):
        keys.forget(keys.known_sid(HERS) or "")
        keys.suppress = {"karen@mail.example"}
    else:
        keys.erase(Erasing((keys.known_sid(HERS) or "",), contacts=("karen@mail.example",)))
    mails = {"n9009": " Karen@Mail.example", "n1002": "karen@mail.example", "n3003": "ann@mail.example"}
    after = shop_of(tmp_path, **mails)
    after.keys = before.keys
    for source, batch in SOURCES:
        came = after.collect(source, batch)
        held = set(after.open(source, batch)["sid"].to_pylist())
        # her husband was a customer before: his one row that has her address is left out, and nothing else of him
        other = {keys.known_sid(OTHER)} | ({keys.known_sid(HUSBAND)} if source != "registrations" else set())
        assert held == other, source
        assert came.suppressed == (2 if source == "registrations" else 1)
    assert keys.known_sid(AGAIN) is None
