"""What lies in a source of one's own is read for somebody who answers for it, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from candidate import ROOT
from own_world import LEGAL, RETAIL, Shop, but, line, write_csv

from twinops.errors import ParamsError


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
    shop.declare(shop=but(RETAIL, legal=RETAIL["legal"] | {"synthetic": False}))
    with pytest.raises(
        ParamsError, match=r"own\.shop holds data of real people.*made up\. Nothing was read"
    ) as refused:
        shop.lock()
    assert "synthetic: false" in refused.value.hint
    assert shop.places.sources_lock.read_bytes() == before


def test_with_a_controller_who_exists_they_are(shop: Shop) -> None:
    path = shop.places.compliance / "intended_use.yaml"
    path.write_text(path.read_text().replace("  synthetic: true\n", "  synthetic: false\n"))
    shop.declare(shop=but(RETAIL, legal=LEGAL | RETAIL["legal"] | {"synthetic": False}))
    shop.lock()
    assert '"records": 1' in shop.places.sources_lock.read_text()
