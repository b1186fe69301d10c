"""What only people can say, and nobody has said yet, is listed with its file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from own_world import LEGAL, RETAIL, Shop, but

from twinops.errors import ParamsError
from twinops.workflows.candidate.owed import owed

BOTH = dict.fromkeys(("twin_training", "twin_scoring"), "legitimate_interest")
SHOP = but(RETAIL, legal=LEGAL | {"bases": BOTH, "purposes": RETAIL["legal"]["purposes"]})


def signed(shop: Shop, *purposes: str, days: int = 30, quote: str = "") -> None:
    first, last = shop.params.as_of - timedelta(days=60), shop.params.as_of + timedelta(days=days)
    entry = (
        "- source: shop\n  purpose: {}\n  interest: to know the trade\n  necessity: counts would not tell\n"
        f"  balance: purchases alone\n  signed_by: Dora, data owner\n  signed_on: {first}\n"
        f"  valid_until: {quote}{last}{quote}\n"
    )
    text = 'version: "1"\nassessments:\n' + "".join(map(entry.format, purposes)) if purposes else NOBODY
    (shop.places.compliance / "interests.yaml").write_text(text, encoding="utf-8")


NOBODY = 'version: "1"\nassessments: []\n'


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path, shop=SHOP)
    found.places.compliance.mkdir()
    found.places.params.write_text("own: {}\n", encoding="utf-8")
    signed(found)
    return found


def told(shop: Shop) -> list[str]:
    return [one.field for one in owed(shop.places, shop.params) if one.file == "compliance/interests.yaml"]


def test_each_purpose_that_rests_on_an_unsigned_interest_is_owed(shop: Shop) -> None:
    assert [field.rpartition(": ")[2] for field in told(shop)] == ["twin_scoring", "twin_training"]
    assert all("source: shop" in field for field in told(shop))
    signed(shop, "twin_training")
    assert [field.rpartition(": ")[2] for field in told(shop)] == ["twin_scoring"]
    signed(shop, "twin_training", "twin_scoring")
    assert told(shop) == []


def test_an_interest_whose_time_is_over_is_owed_again(shop: Shop) -> None:
    signed(shop, "twin_training", "twin_scoring", days=-1)
    assert len(told(shop)) == 2


def test_a_signature_of_today_counts_though_the_data_end_before_it(shop: Shop) -> None:
    signed(shop, "twin_training", "twin_scoring")
    path = shop.places.compliance / "interests.yaml"
    first, later = shop.params.as_of - timedelta(days=60), shop.params.as_of + timedelta(days=29)
    path.write_text(path.read_text(encoding="utf-8").replace(f"signed_on: {first}", f"signed_on: {later}"))
    assert f"signed_on: {later}" in path.read_text(encoding="utf-8")
    assert told(shop) == []


def test_a_day_in_quotes_is_told_as_text(shop: Shop) -> None:
    signed(shop, "twin_training", quote='"')
    with pytest.raises(ParamsError, match=r"valid_until: .* without quotes"):
        told(shop)


def test_nobody_has_signed_on_a_day_that_has_not_come(shop: Shop) -> None:
    signed(shop, "twin_training", "twin_scoring")
    path, first = shop.places.compliance / "interests.yaml", shop.params.as_of - timedelta(days=60)
    text = path.read_text(encoding="utf-8").replace(
        f"valid_until: {shop.params.as_of + timedelta(days=30)}", "valid_until: 2400-01-01"
    )
    path.write_text(text.replace(f"signed_on: {first}", "signed_on: 2399-01-01"), encoding="utf-8")
    with pytest.raises(ParamsError, match=r"a day that has not come \(shop, twin_training: signed_on 2399-01-01"):
        told(shop)
