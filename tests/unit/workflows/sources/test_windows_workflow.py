"""A shop's own receipts set its windows: any century, read from the declared file, written on request alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from own_world import RETAIL, Shop, line, write_csv
from supplying import supplied

from twinops import params
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.entities.day_count import DayCount
from twinops.errors import DataError
from twinops.workflows.pipeline.collect import collect
from twinops.workflows.places import Places
from twinops.workflows.receipts import reached
from twinops.workflows.sources.windows import Windows, windows

ROOT = Path(__file__).parents[4]
FIRST, DAYS, CUSTOMERS = datetime.fromisoformat("1950-03-05T10:00"), 400, 120


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop of 1950 whose customers come every twenty days."""
    made = Shop(tmp_path, shop=RETAIL)
    came = [(who, FIRST + timedelta(days=d)) for who in range(CUSTOMERS) for d in range(who % 20, DAYS, 20)]
    rows = [line(**{"Customer ID": f"C{who}", "InvoiceDate": f"{at:%d/%m/%Y %H:%M}"}) for who, at in came]
    write_csv(made.file("retail.csv"), rows)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return made


def asked(shop: Shop, *, write: bool = False) -> Windows:
    return windows(write=write, places=shop.places, params=shop.params, engine=DuckDBEngine(threads=1))


def test_they_are_shown_and_nothing_is_written_until_it_is_asked_for(shop: Shop) -> None:
    before = shop.places.params.read_bytes()
    found = asked(shop)
    assert (found.written, shop.places.params.read_bytes()) == (False, before)
    assert found.changed["features.first_day"] == "2017-01-01"
    written = asked(shop, write=True)
    assert written.written
    said = params.parse(yaml.safe_load(shop.places.params.read_text(encoding="utf-8")))
    assert (said.features.first_day, said.as_of) == (date(1950, 3, 5), date(1951, 4, 9))


def test_once_written_there_is_nothing_left_to_change(shop: Shop) -> None:
    asked(shop, write=True)
    shop.params = params.read(shop.places.params).model_copy(update={"own": shop.params.own})
    again = asked(shop, write=True)
    assert (again.changed, again.written) == ({}, False)


def test_what_is_sealed_counts_from_the_proposed_day_and_what_lay_before_is_negative(shop: Shop) -> None:
    shop.lock()
    around = {**shop.around, "engine": DuckDBEngine(threads=1)}
    supplied(collect, "transactions", "1950-03", days=DayCount(FIRST.date()), **around)
    assert sorted(set(shop.open(batch="1950-03")["day"].to_pylist())) == [*range(27)]
    supplied(collect, "transactions", "1950-03", days=DayCount(date(1950, 4, 1)), **around)
    assert min(shop.open(batch="1950-03")["day"].to_pylist()) == -27


def test_without_a_source_of_receipts_a_sentence_says_so(tmp_path: Path) -> None:
    from own_world import CONSENT

    lonely = Shop(tmp_path, ledger=CONSENT)
    with pytest.raises(DataError, match="No receipts"):
        asked(lonely)


def test_the_shipped_receipts_give_what_params_say(tmp_path: Path) -> None:
    said = params.read(ROOT / "params.yaml")
    found = windows(places=Places(tmp_path), params=said, engine=DuckDBEngine(threads=2))
    assert found.changed == {}


def test_receipts_that_come_in_one_go_are_known_until_the_last_of_them(shop: Shop) -> None:
    shop.lock()
    days = DayCount(FIRST.date())
    supplied(collect, "transactions", "all", days=days, engine=DuckDBEngine(threads=1), **shop.around)
    assert reached(shop.places, days) == DAYS
