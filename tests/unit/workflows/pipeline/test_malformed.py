"""10,000 malformed rows per source: none stops the run, none enters, each has its reason; every good row arrives."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_world
from own_world import CONSENT, HEAD, PROFILES, RETAIL, Shop, line
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.own_sources.mapping import UNKNOWN_ANSWER
from twinops.data.vault.seal import read_quarantine, read_sealed
from twinops.entities.consent import Purpose
from twinops.params import SourcesParams
from twinops.workflows.intake import Collected
from twinops.workflows.pipeline.collect import collect
from twinops.workflows.places import Places

BAD = 10_000
GOOD = 500
FAR = datetime.fromisoformat("1870-01-01")
IDS: list[Any] = [None, 0, -1, -(2**63), 2**63 - 1]
AMOUNTS: list[Any] = [None, float("nan"), float("inf"), float("-inf"), -0.01, 1e300, 10_000.5]
WORDS: list[Any] = [None, "", " ", "=1+1", "\0", "Ünknown", "x" * 5_000, "'; DROP TABLE x; --", "\u202e65+"]
TIMES: list[Any] = [FAR, datetime.fromisoformat("2100-01-02")]

# Per source: its table, how many of its rows are spoiled where, and with what.
SPOILERS: dict[str, dict[str, list[Any]]] = {
    "transactions": {
        "household_id": IDS, "store_id": IDS, "basket_id": IDS, "product_id": IDS,
        "quantity": [None, -1, 2**62], "sales_value": AMOUNTS, "retail_disc": AMOUNTS, "coupon_disc": AMOUNTS,
        "coupon_match_disc": AMOUNTS,
    },
    "demographics": {
        "household_id": IDS, "age": WORDS, "income": WORDS, "home_ownership": WORDS[1:], "marital_status": WORDS[1:],
        "household_size": WORDS, "household_comp": WORDS, "kids_count": WORDS,
    },
    "campaigns": {"household_id": IDS, "campaign_id": [None, 0, -7, 99, 2**40]},
    "redemptions": {"household_id": IDS, "coupon_upc": IDS, "campaign_id": IDS, "redemption_date": [None, *TIMES]},
    "consent": {
        "household_id": IDS, "purpose": WORDS, "event": WORDS, "basis": WORDS, "notice_version": [None],
        "day": [None, -40_000, 2**40], "seq": [None, -1, 2**40],
    },
}  # fmt: skip
FILES = {"redemptions": "coupon_redemptions"}


def good_rows(source: str) -> pa.Table:
    """GOOD distinct rows of a source, households 1 to 500."""
    if source == "transactions":
        at = datetime.fromisoformat("2017-02-05T12:00")
        rows = [small_world.receipt_line(h, at, basket=h) for h in range(1, GOOD + 1)]
        return pa.Table.from_pylist(rows, schema=small_world.TRANSACTIONS)
    tables = {
        "demographics": small_world.demographics(2 * GOOD),
        "campaigns": small_world.campaigns(2 * GOOD),
        "redemptions": small_world.redemptions(6 * GOOD),
        "consent": small_world.consent(GOOD),
    }
    return tables[source].slice(0, GOOD)


def spoiled(source: str, good: pa.Table) -> pa.Table:
    """BAD rows, each like a good one but for one value."""
    rng = random.Random(7)  # noqa: S311
    columns = {c: good[c].take(pa.array([i % GOOD for i in range(BAD)])).to_pylist() for c in good.column_names}
    names = list(SPOILERS[source])
    for i in range(BAD):
        name = names[i % len(names)]
        columns[name][i] = rng.choice(SPOILERS[source][name])
    return pa.table([pa.array(columns[f.name], f.type) for f in good.schema], schema=good.schema)


def mixed(tables: list[pa.Table]) -> pa.Table:
    whole = pa.concat_tables(tables)
    return whole.take(pa.array(np.random.default_rng(5).permutation(whole.num_rows)))


@pytest.mark.parametrize("source", list(SPOILERS))
def test_malformed_rows_of_a_shipped_source_stay_outside(tmp_path: Path, source: str) -> None:
    small_world.write_world(tmp_path / "world", households=3)
    good = good_rows(source)
    assert good.num_rows == GOOD
    path = tmp_path / "world" / f"{FILES.get(source, source)}.parquet"
    bad = spoiled(source, good)
    pq.write_table(mixed([good, bad]), path)
    places, keys = Places(tmp_path), MemoryKeys()
    batch = "2017-02" if source == "transactions" else "all"
    engine, sources = DuckDBEngine(threads=1), SourcesParams(folder="world")
    found = supplied(collect, source, batch, places=places, engine=engine, keys=keys, sources=sources)
    opened = read_sealed(places.raw(source, batch), dataset=source, keys=keys)
    aside = read_quarantine(places.quarantine(source, batch), dataset=source, keys=keys)
    everything_is_accounted_for(found, opened, aside, noes=noes_for_any_purpose(bad) if source == "consent" else 0)
    assert len(found.quarantined) >= len(SPOILERS[source])
    if source == "consent":
        # no yes comes of what cannot be read; a no at the very place of a yes takes it away
        assert opened["event"].to_pylist().count("granted") <= good["event"].to_pylist().count("granted")


def noes_for_any_purpose(bad: pa.Table) -> int:
    """Rows that say a no, for a purpose that nobody knows: each is judged as one for every purpose."""
    known = {p.value for p in Purpose}
    told = zip(bad["event"].to_pylist(), bad["purpose"].to_pylist(), strict=True)
    return sum((event or "").strip() not in ("", "granted") and purpose not in known for event, purpose in told)


def everything_is_accounted_for(found: Collected, opened: pa.Table, aside: pa.Table, *, noes: int = 0) -> None:
    assert found.read == GOOD + BAD + noes * (len(Purpose) - 1)
    # an answer that nobody can read must not leave a yes standing, and no more than such a row is taken beside the good
    held = opened.num_rows - GOOD
    taken_for_no = found.unscored.get(UNKNOWN_ANSWER, 0)
    assert found.taken == opened.num_rows
    assert held == taken_for_no or (noes and held > taken_for_no)
    assert aside.num_rows == found.read - found.taken == sum(found.quarantined.values())
    if taken_for_no:
        assert sum(event == "refused" for event in opened["event"].to_pylist()) >= taken_for_no
    assert Counter(aside["reason"].to_pylist()) == found.quarantined
    assert None not in found.quarantined


# Files as strangers write them.

RECORDS: dict[str, tuple[str, Any, dict[int, list[str]]]] = {
    "transactions": (
        ",".join(HEAD),
        lambda i: list(line(InvoiceNo=str(i + 1))),
        {
            0: ["", "\x1b[2J"],
            3: ["", "many", "1e999", "--1", "三", "NaN", "1,5", "=1+1"],
            4: ["", "31/02/2024 08:00", "yesterday", "05/03/1024 08:00"],
            5: ["", "1-1", "0x10", "1,000.00", "1e20", "inf", "$2"],
            6: ["", "\x07", "x" * 65, "\u200b"],
        },
    ),
    "demographics": (
        "id,band,income",
        lambda i: [str(i + 1), "65+", "Under 15K"],
        {0: ["", "\x07", "x" * 65, "7.1E+15"], 1: ["x" * 5_000]},
    ),
    "consent": (
        "id,what,at",
        lambda i: [str(i + 1), "yes", "2024-01-05"],
        {
            0: ["", "\x07"],
            1: ["", "maybe", "=1+1", "yes yes"],
            2: ["", "05/01/2024", "2024-13-01", "2024-02-30T10:00", "now"],
        },
    ),
}
OWN = {"transactions": RETAIL, "demographics": PROFILES, "consent": CONSENT}


def raw_records(source: str) -> list[bytes]:
    """Good and bad records as bytes; every third bad one is broken as a record, the others in one cell."""
    _, good, cells = RECORDS[source]
    rng = random.Random(11)  # noqa: S311
    out = [",".join(good(i)).encode() for i in range(GOOD)]
    for i in range(BAD):
        row = good(i % GOOD)
        if i % 3:
            place = rng.choice(list(cells))
            row[place] = f'"{rng.choice(cells[place])}"' if cells[place] else ""
            out.append(",".join(row).encode())
        else:
            out.append(broken(",".join(row).encode(), i))
    rng.shuffle(out)
    return out


def broken(record: bytes, i: int) -> bytes:
    """One of ten ways not to be a record of this file."""
    ways = (
        record + b",x",
        record.replace(b",", b"", 1),
        b'"' + record,
        record + b'"',
        b"\0" + record,
        b"\xff" + record,
        b"\xed\xa0\x80" + record,
        b"," + record,
        b"x," * 2_000,
        record[: len(record) // 3].replace(b",", b""),
    )
    return ways[(i // 3) % len(ways)]


@pytest.mark.parametrize("source", list(OWN))
def test_malformed_records_of_a_declared_source_stay_outside(tmp_path: Path, source: str) -> None:
    said = OWN[source] | {"encoding": "utf-8", "separator": ","}
    shop = Shop(tmp_path, mine=said)
    head = RECORDS[source][0].encode()
    (tmp_path / said["path"]).write_bytes(b"\r\n".join([head, *raw_records(source)]) + b"\r\n")
    batch = "2024-03" if source == "transactions" else "all"
    found = shop.collect(source, batch)
    everything_is_accounted_for(found, shop.open(source, batch), shop.aside(source, batch))
    assert {"torn_record", "nul_byte", "not_utf8", "wrong_field_count"} <= found.quarantined.keys()
