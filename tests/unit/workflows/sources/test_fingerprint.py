"""What lies in a source of one's own is read for somebody who answers for it, or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from candidate import ROOT
from own_world import RETAIL, Shop, but, line, write_csv

from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.lock import locked_net
from twinops.data.own_sources.reading import netted
from twinops.data.own_sources.receipts import kept_nets
from twinops.errors import IntegrityError, ParamsError
from twinops.params import SourcesParams
from twinops.workflows.watched_pipeline import OwnThings, plain

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


def test_months_whose_bytes_and_rules_are_the_same_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(tmp_path, shop=but(RETAIL, reads="folder", path="files", files="sales-{month}.csv"))
    write_csv(shop.file("sales-2024-03.csv"), [line()])
    write_csv(shop.file("sales-2024-04.csv"), [line(InvoiceDate="01/04/2024 08:00", Quantity="-1", InvoiceNo="C")])
    shop.lock()
    said = shop.places.sources_lock.read_bytes()
    read = []
    monkeypatch.setattr("twinops.data.own_sources.lock.netted", lambda source: read.append(source) or netted(source))
    shop.lock()
    assert read == []
    assert shop.places.sources_lock.read_bytes() == said
    shop.declare(shop=but(RETAIL, reads="folder", path="files", files="sales-{month}.csv", repeated="drop"))
    shop.lock()
    assert len(read) == 1, "they are read by other rules now"
    write_csv(shop.file("sales-2024-04.csv"), [line(InvoiceDate="01/04/2024 08:00")])
    shop.lock()
    assert len(read) == 2
    shop.places.sources_lock.write_text("{}")
    shop.lock()
    assert len(read) == 3


def test_a_month_without_returns_is_collected_without_reading_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(tmp_path, shop=but(RETAIL, reads="folder", path="files", files="sales-{month}.csv"))
    write_csv(shop.file("sales-2024-03.csv"), [line()])
    write_csv(shop.file("sales-2024-04.csv"), [line(InvoiceDate="01/04/2024 08:00", InvoiceNo="7")])
    write_csv(shop.file("sales-2024-05.csv"), [line(InvoiceDate="01/05/2024 08:00", Quantity="-1", InvoiceNo="C")])
    shop.lock()
    source = declared(shop.params.own, "shop", root=shop.places.root, max_rows=shop.params.sources.max_rows)
    every, lock = netted(source), shop.places.sources_lock
    read: list[str] = []
    monkeypatch.setattr(
        "twinops.data.own_sources.lock.netted", lambda s, among: read.append(among[0]) or netted(s, among=among)
    )
    found = {month: locked_net(lock, source, month) for month in every}
    assert {m: net.digest for m, net in found.items()} == {m: net.digest for m, net in every.items()}
    assert read == [month for month, net in every.items() if net.digest]
    (quiet,) = set(every) - set(read)
    said = json.loads(lock.read_text(encoding="utf-8"))
    said["own"]["shop"][quiet]["by"] = "other rules"
    lock.write_text(json.dumps(said), encoding="utf-8")
    assert locked_net(lock, source, quiet) == every[quiet]
    assert len(read) == 3, "what other rules said is looked at again"


def test_what_the_look_found_of_returns_is_believed_only_where_the_lock_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(tmp_path, shop=but(RETAIL, reads="folder", path="files", files="sales-{month}.csv"))
    write_csv(shop.file("sales-2024-03.csv"), [line(Quantity="6")])
    write_csv(shop.file("sales-2024-04.csv"), [line(InvoiceDate="01/04/2024 08:00", InvoiceNo="C", Quantity="-2")])
    shop.lock()
    source = declared(shop.params.own, "shop", root=shop.places.root, max_rows=shop.params.sources.max_rows)
    every, lock, folder = netted(source), shop.places.sources_lock, shop.places.scratch
    read: list[list[str]] = []
    monkeypatch.setattr(
        "twinops.data.own_sources.lock.netted", lambda s, among: read.append(among) or netted(s, among=among)
    )

    def left(month: str) -> object:
        found = locked_net(lock, source, month, kept=folder)
        assert found is not None
        lines = {p: (b.quantity, b.amount) for p, b in found.settlement.touched.items()}
        return lines, found.settlement.left_out, found.digest, found.beside

    fresh = {month: left(month) for month in every}
    assert len(read) == 2, "nothing was kept: every month is read beside those it is bound with"
    kept_nets.keep(folder, {"shop": every})
    assert {month: left(month) for month in every} == fresh
    assert len(read) == 2, "what was kept is what the lock says"
    told = json.loads((folder / kept_nets.FILE).read_text(encoding="utf-8"))
    (place,) = told["shop"]["2024-03"]["touched"]
    for wrong in ({place: [5, 1275]}, {}, {"999": [4, 1020]}, "nothing"):
        told["shop"]["2024-03"]["touched"] = wrong
        (folder / kept_nets.FILE).write_text(json.dumps(told), encoding="utf-8")
        before = len(read)
        assert left("2024-03") == fresh["2024-03"], wrong
        assert len(read) == before + 1, "what is not what the lock says is found out anew"
    kept_nets.keep(folder, {"shop": every})
    write_csv(shop.file("sales-2024-03.csv"), [line(Quantity="7")])
    with pytest.raises(IntegrityError, match="it changed"):
        locked_net(lock, source, "2024-03", kept=folder)


def test_beside_sources_of_ones_own_a_later_as_of_day_collects_nobodys_records_again(shop: Shop) -> None:
    shipped = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    things = OwnThings(shop.places, shop.params.own)
    mine = things.watched(shipped)
    stages = yaml.safe_load(mine)["stages"]
    for name in ("collect_identities", "collect_synthetic"):
        assert "as_of" not in stages[name].get("do", stages[name])["params"]
        assert "as_of" in (said := yaml.safe_load(shipped)["stages"][name]).get("do", said)["params"]
    assert "as_of" in stages["lawful"]["params"], "what a day decides is asked on every day"
    assert things.watched(mine) == mine
    assert plain(mine, shop.places.root) == shipped
    beside = replace(things, sources=SourcesParams(folder="shipped"))
    assert "as_of" in yaml.safe_load(beside.watched(mine))["stages"]["collect_identities"]["params"]
