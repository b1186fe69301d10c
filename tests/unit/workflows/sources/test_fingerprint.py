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
    assert '"bytes": ' in shop.places.sources_lock.read_text()


def test_parts_of_one_name_in_two_folders_are_two_parts(shop: Shop) -> None:
    days = [shop.file(f"parts/day={day}") for day in (1, 2)]
    for day in days:
        day.mkdir(parents=True)
        write_csv(day / "part-0.csv", [line()])
    shop.declare(shop=but(RETAIL, path="files/parts"))
    shop.lock()
    before = shop.places.sources_lock.read_bytes()
    write_csv(days[0] / "part-0.csv", [line(), line()])
    shop.lock()
    assert shop.places.sources_lock.read_bytes() != before
