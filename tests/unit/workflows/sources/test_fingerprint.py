"""What lies in a source of one's own is read for somebody who answers for it, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from candidate import ROOT
from own_world import RETAIL, Shop, but, line, write_csv

from twinops.errors import ParamsError

REAL = RETAIL["legal"] | {"synthetic": False, "controller": "Blue Shop Ltd"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """One shop with a file of sales, under the demonstration's controller, who is made up."""
    made = Shop(tmp_path, shop=RETAIL)
    write_csv(made.file("retail.csv"), [line()])
    shutil.copytree(ROOT / "compliance", tmp_path / "compliance")
    return made


def test_real_people_under_a_controller_who_is_made_up_are_not_read(shop: Shop) -> None:
    shop.lock()
    before = shop.places.sources_lock.read_bytes()
    shop.declare(shop=but(RETAIL, legal=REAL))
    with pytest.raises(
        ParamsError, match=r"own\.shop holds data of real people.*made up\. Nothing was read"
    ) as refused:
        shop.lock()
    assert "synthetic: false" in refused.value.hint
    assert shop.places.sources_lock.read_bytes() == before


def test_with_a_controller_who_exists_they_are(shop: Shop) -> None:
    path = shop.places.compliance / "intended_use.yaml"
    path.write_text(path.read_text().replace("  synthetic: true\n", "  synthetic: false\n"))
    shop.declare(shop=but(RETAIL, legal=REAL))
    shop.lock()
    assert '"records": 1' in shop.places.sources_lock.read_text()


def test_a_file_whose_bytes_are_known_is_not_parsed_again(tmp_path, monkeypatch):
    from arriving import Monthly, month_of

    from twinops.data.own_sources import lock

    shop = Monthly(tmp_path, ["2024-01", "2024-02"])
    for month in shop.months:
        shop.comes(month, month_of(month))
    shop.lock()
    first = lock.known(shop.places.sources_lock)
    read, seen = lock.cells_of, []
    monkeypatch.setattr(lock, "cells_of", lambda source, batch: (seen.append(batch), read(source, batch))[1])
    shop.comes("2024-02", month_of("2024-02", customers=40))
    shop.lock()
    assert seen == ["2024-02"]
    again = lock.known(shop.places.sources_lock)
    assert again["retail"]["2024-01"] == first["retail"]["2024-01"]
    assert again["retail"]["2024-02"] != first["retail"]["2024-02"]
