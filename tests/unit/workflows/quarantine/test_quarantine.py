"""Quarantined rows can be counted, looked at by their owner, tried again after a fix, and are gone after 30 days."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_world
from own_world import CONSENT, PROFILES, RETAIL, Shop, but, line, write_csv
from supplying import supplied

from twinops.adapters.keystore import DemoKeys, SqliteKeyStore
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault import atomic_files
from twinops.data.vault.seal import read_quarantine, read_sealed, write_quarantine
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.own_params import NOTHING_OWN
from twinops.params import SourcesParams, VaultParams
from twinops.workflows.pipeline.collect import collect
from twinops.workflows.places import Places
from twinops.workflows.quarantine.expire import expire
from twinops.workflows.quarantine.list_batches import list_batches as list_quarantine
from twinops.workflows.quarantine.replay import replay
from twinops.workflows.quarantine.show_rows import show_rows as show_quarantine

COLLECTED_ON = "2018-01-01"
OWN_KEYS = VaultParams(keys="store")


def again(shop: Shop, source: str = "transactions", batch: str = "2024-03", today: str = COLLECTED_ON):
    return supplied(replay, source, batch, today, engine=DuckDBEngine(threads=1), **shop.around)


def counts(shop: Shop, source: str = "transactions", batch: str = "2024-03") -> dict:
    return json.loads(shop.places.counts(source, batch).read_text())


def whole(shop: Shop, source: str = "transactions", batch: str = "2024-03") -> bool:
    told = counts(shop, source, batch)
    return told["read"] == told["taken"] + told["suppressed"] + sum(told["quarantined"].values())


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Written with a comma for the decimal sign; declared, by mistake, with a point."""
    shop = Shop(tmp_path / "project", shop=RETAIL)
    lines = [line(InvoiceNo=str(i), UnitPrice=f"{i},50" if i % 2 else f"{i}") for i in range(1, 21)]
    write_csv(
        shop.file("retail.csv"), [*lines, line(Quantity="many"), line(UnitPrice="7,50", InvoiceNo="1")], separator=";"
    )
    return shop


MENDED = but(RETAIL, money={"currency": "GBP", "decimal": ","})


# Replay.


def test_after_a_fix_of_the_mapping_rows_are_taken_and_the_rest_stays(shop: Shop) -> None:
    assert shop.collect().quarantined == {"quantity_unreadable": 1, "unit_price_unreadable": 11}
    shop.declare(shop=MENDED)
    replayed = again(shop)
    assert (replayed.taken, replayed.quarantined) == ({"2024-03": 11}, {"quantity_unreadable": 1})
    assert counts(shop)["taken"] == shop.open().num_rows == 21
    assert whole(shop)
    assert sorted(set(shop.open()["sales_cents"].to_pylist()))[:2] == [900, 1200]  # 6 x 1.50, 6 x 2


def test_a_replay_gives_the_bytes_that_collecting_anew_gives(shop: Shop, tmp_path: Path) -> None:
    shop.collect()
    shop.declare(shop=MENDED)
    again(shop)
    fresh = Shop(tmp_path / "fresh", shop=MENDED)
    fresh.file("retail.csv").write_bytes(shop.file("retail.csv").read_bytes())
    fresh.collect()
    for place in ("raw", "quarantine", "counts"):
        path = getattr(Places(Path()), place)("transactions", "2024-03")
        assert (shop.places.root / path).read_bytes() == (fresh.places.root / path).read_bytes(), place


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_replay_that_breaks_off_is_finished_by_the_next_and_no_row_is_lost_or_taken_twice(
    shop: Shop, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.collect()
    shop.declare(shop=MENDED)
    real, left = atomic_files._move, [moved]

    def until_the_plug_is_pulled(staged: Path, place: Path) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(staged, place)

    with monkeypatch.context() as broken:
        broken.setattr(atomic_files, "_move", until_the_plug_is_pulled)
        with pytest.raises(KeyboardInterrupt):
            again(shop)
    replayed = again(shop)
    assert (replayed.taken, replayed.quarantined) == ({"2024-03": 11}, {"quantity_unreadable": 1})
    assert counts(shop)["taken"] == shop.open().num_rows == 21
    assert shop.aside().num_rows == 1
    assert whole(shop)
    assert not list((shop.places.root / "data" / ".replay").iterdir())
    assert again(shop).taken == {}


def test_a_replay_that_breaks_off_before_it_promised_anything_leaves_all_as_it_was(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.collect()
    before = [shop.places.raw("transactions", "2024-03").read_bytes(), counts(shop), shop.aside().num_rows]
    shop.declare(shop=MENDED)
    with monkeypatch.context() as broken:
        broken.setattr("twinops.workflows.quarantine.replay.ReplayDesk.leave", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            again(shop)
    assert before == [shop.places.raw("transactions", "2024-03").read_bytes(), counts(shop), shop.aside().num_rows]
    assert again(shop).taken == {"2024-03": 11}
    assert whole(shop)


def test_whoever_collects_anew_after_a_replay_broke_off_has_the_last_word(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.collect()
    shop.declare(shop=MENDED)
    with monkeypatch.context() as broken:
        broken.setattr(atomic_files, "_move", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            again(shop)
    write_csv(shop.file("retail.csv"), [line(UnitPrice="1,50"), line(UnitPrice="2,50", Quantity="few")], separator=";")
    shop.collect()
    assert again(shop).taken == {}
    assert (shop.open().num_rows, counts(shop)["taken"], shop.aside().num_rows) == (1, 1, 1)
    assert whole(shop)


def test_a_replay_without_a_fix_changes_nothing(shop: Shop) -> None:
    shop.collect()
    before = [shop.places.raw("transactions", "2024-03").read_bytes(), counts(shop)]
    assert again(shop).taken == {}
    assert before == [shop.places.raw("transactions", "2024-03").read_bytes(), counts(shop)]


def test_a_row_whose_month_can_be_read_now_goes_to_its_month(tmp_path: Path) -> None:
    shop = Shop(tmp_path, shop=RETAIL)
    lines = [line(), line(InvoiceDate="12/04/2024 10:00"), line(InvoiceDate="2024-04-13T10:00:00", InvoiceNo="3")]
    write_csv(shop.file("retail.csv"), lines)
    shop.lock()
    march, april = (shop.collect(batch=m, lock=False) for m in ("2024-03", "2024-04"))
    assert (march.quarantined, april.read) == ({"time_unreadable": 1}, 1)
    shop.declare(shop=but(RETAIL, time={"format": "iso", "zone": "Europe/London"}))
    assert again(shop).taken == {"2024-04": 1}
    assert (counts(shop)["read"], counts(shop, batch="2024-04")["read"]) == (1, 2)
    assert whole(shop)
    assert whole(shop, batch="2024-04")


def test_a_corrected_code_book_is_enough_and_nobody_gets_a_second_profile(tmp_path: Path) -> None:
    shop = Shop(tmp_path, people=PROFILES)
    shop.file("people.csv").write_text("id,band\n1,65+\n7.1E+15,sixties\n8.1E+15,sixties\n")
    assert shop.collect("demographics", "all").quarantined == {"household_id_unreadable": 2}
    shop.declare(people=but(PROFILES, codes={"household_id": {"7.1E+15": "2", "8.1E+15": "1"}}))
    replayed = again(shop, "demographics", "all")
    assert (replayed.taken, replayed.quarantined) == ({"all": 1}, {"duplicate_row": 1})
    assert whole(shop, "demographics", "all")


def test_a_ledger_is_replayed_by_its_code_book(tmp_path: Path) -> None:
    serves = CONSENT["legal"]["purposes"]
    ledger = but(
        CONSENT,
        columns=CONSENT["columns"] | {"purpose": "why"},
        constants={},
        codes={},
        legal=CONSENT["legal"] | {"purposes": serves | {"purpose": serves["event"]}},
    )
    shop = Shop(tmp_path, ledger=ledger)
    shop.file("consent.csv").write_text("id,why,what,at\n1,Werbung,yes,2024-01-05\n2,offers,yes,2024-01-05\n")
    shop.collect("consent", "all")
    shop.declare(ledger=but(ledger, codes={"purpose": {"Werbung": "offers"}}))
    assert again(shop, "consent", "all").taken == {"all": 1}
    assert set(shop.open("consent", "all")["event"].to_pylist()) == {"granted"}


def test_whoever_was_erased_is_not_brought_back_by_a_replay(shop: Shop) -> None:
    shop.collect()
    (sid,) = set(shop.open()["sid"].to_pylist())
    shop.keys.forget(sid)
    shop.declare(shop=MENDED)
    again(shop)
    assert shop.open().num_rows == counts(shop)["taken"] == 0
    assert counts(shop)["suppressed"] + 10 == 21


def test_a_record_that_was_torn_stays_as_it_came(tmp_path: Path) -> None:
    shop = Shop(tmp_path, shop=RETAIL)
    path = write_csv(shop.file("retail.csv"), [line()])
    path.write_bytes(path.read_bytes() + b'536366,"torn\r\n')
    assert shop.collect().quarantined == {"torn_record": 1}
    assert again(shop).quarantined == {"torn_record": 1}
    assert shop.aside()["raw"].to_pylist() == ['536366,"torn']


def test_rows_of_a_shipped_source_are_judged_by_the_schema_it_has_now(tmp_path: Path) -> None:
    small_world.write_world(tmp_path / "world", households=6)
    table = pq.read_table(tmp_path / "world" / "demographics.parquet")
    pq.write_table(
        table.set_column(1, "age", pa.array(["65+", "very old", "65+"])), tmp_path / "world" / "demographics.parquet"
    )
    places, keys, sources = Places(tmp_path), MemoryKeys(), SourcesParams(folder="world")
    supplied(collect, "demographics", "all", places=places, engine=DuckDBEngine(threads=1), keys=keys, sources=sources)
    path = places.quarantine("demographics", "all")
    aside = read_quarantine(path, dataset="demographics", keys=keys)
    mended = aside.set_column(aside.column_names.index("age"), "age", pa.array(["65+"]))
    write_quarantine(mended, path, dataset="demographics", batch="all", keys=keys)
    given = {"places": places, "engine": DuckDBEngine(threads=1), "keys": keys, "sources": sources, "own": NOTHING_OWN}
    replayed = supplied(replay, "demographics", "all", COLLECTED_ON, **given)
    assert (replayed.taken, replayed.quarantined) == ({"all": 1}, {})
    assert read_sealed(places.raw("demographics", "all"), dataset="demographics", keys=keys).num_rows == 3


# List and show.


def test_the_list_has_counts_and_reasons_and_hides_small_ones(shop: Shop) -> None:
    shop.collect()
    (batch,) = supplied(list_quarantine, places=shop.places, keys=shop.keys)
    assert batch.reasons == {"quantity_unreadable": None, "unit_price_unreadable": None}
    assert (batch.rows, batch.held, batch.expired, batch.since) == (12, 12, 0, date(2018, 1, 1))


def test_rows_are_shown_neutralised_bounded_and_only_under_keys_of_your_own(tmp_path: Path) -> None:
    shop = Shop(tmp_path, shop=RETAIL)
    bad = [line(UnitPrice="=1+1", StockCode="\x1b[2J", InvoiceNo=str(i)) for i in range(150)]
    write_csv(shop.file("retail.csv"), bad)
    shop.collect()
    around = {"places": shop.places, "keys": shop.keys}
    shown = supplied(show_quarantine, "transactions", "2024-03", COLLECTED_ON, most=1000, vault=OWN_KEYS, **around)
    assert (len(shown.lines), shown.rows) == (100, 150)
    assert "UnitPrice='=1+1" in shown.lines[0]
    assert "\x1b" not in shown.lines[0]
    assert "WHITE" not in shown.lines[0]
    with pytest.raises(ParamsError, match="your own keys"):
        supplied(show_quarantine, "transactions", "2024-03", COLLECTED_ON, most=1, vault=VaultParams(), **around)


def test_what_is_not_there_is_said(shop: Shop) -> None:
    shop.collect(batch="2024-05")
    with pytest.raises(DataError, match="No row of transactions 2024-05"):
        again(shop, batch="2024-05")
    with pytest.raises(ParamsError, match="is not a day"):
        again(shop, today="tomorrow")


# Thirty days.


def test_after_thirty_days_the_rows_are_gone_and_the_counts_say_so(shop: Shop) -> None:
    shop.collect()
    assert supplied(expire, "2018-01-31", places=shop.places, keys=shop.keys) == ()
    (gone,) = supplied(expire, "2018-02-01", places=shop.places, keys=shop.keys)
    assert (gone.rows, gone.held, gone.expired) == (12, 0, 12)
    with pytest.raises(DataError, match="are gone"):
        again(shop, today="2018-02-01")
    with pytest.raises(IntegrityError):
        shop.aside()
    assert shop.open().num_rows == 10
    assert whole(shop)  # the counts still tell of every row that was read
    (listed,) = supplied(list_quarantine, places=shop.places, keys=shop.keys)
    assert listed.rows == sum(counts(shop)["quarantined"].values()) == listed.held + listed.expired
    shop.collect()  # the file is still there: its rows are held again, under a new key
    (anew,) = supplied(list_quarantine, places=shop.places, keys=shop.keys)
    assert (anew.held, anew.expired, shop.aside().num_rows) == (12, 0, 12)
    assert whole(shop)


def test_a_reason_that_few_rows_have_is_not_counted_in_the_log(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.collect()
    said = capsys.readouterr().err
    assert "quantity_unreadable not told" in said
    assert "unit_price_unreadable not told" in said  # else the one could be had by subtraction
    assert not any(sign.isdigit() for sign in said.replace("2024-03", ""))


def test_looking_late_lets_the_rows_go_instead(shop: Shop) -> None:
    shop.collect()
    with pytest.raises(DataError, match="kept for 30 days"):
        supplied(
            show_quarantine,
            "transactions",
            "2024-03",
            "2018-03-01",
            most=1,
            places=shop.places,
            keys=shop.keys,
            vault=OWN_KEYS,
        )


def test_the_key_store_forgets_a_batch_and_nothing_else(tmp_path: Path) -> None:
    store = SqliteKeyStore(tmp_path / "keys", today=lambda: date(2024, 3, 1))
    first, other = store.batch_key("transactions", "2024-03"), store.batch_key("transactions", "2024-04")
    sids = store.subject_ids(["1"])
    held = store.subject_keys(sids)
    assert store.batch_since("transactions", "2024-03") == date(2024, 3, 1)
    store.forget_batch("transactions", "2024-03")
    store.forget_batch("transactions", "2024-03")
    assert store.batch_since("transactions", "2024-03") is None
    assert store.batch_key("transactions", "2024-03") != first
    assert store.batch_key("transactions", "2024-04") == other
    assert (store.subject_keys(sids), store.epoch()) == (held, 0)


def test_the_published_key_never_ages_and_cannot_be_destroyed() -> None:
    assert DemoKeys().batch_since("transactions", "2017-03") == date.max
    with pytest.raises(IntegrityError, match="cannot be destroyed"):
        DemoKeys().forget_batch("transactions", "2017-03")


def test_long_rows_are_sealed_in_smaller_frames() -> None:
    """10,000 rows of 64 KB would not fit one frame."""
    from twinops.data.vault.seal import _rows_at_once

    assert _rows_at_once(pa.table({"raw": ["x" * 100] * 10})) == 10_000
    assert 1 <= _rows_at_once(pa.table({"raw": ["x" * 65_536] * 600})) <= 512
