"""Customer-service cases from strangers."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from supplying import DAYS

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.quality import part
from twinops.data.reading.activitypub import event_id
from twinops.data.reading.reading import Reading
from twinops.data.sources import care_cases
from twinops.data.vault.seal import read_quarantine, read_sealed, write_quarantine, write_sealed
from twinops.demo import care
from twinops.demo.social_export import Span
from twinops.entities.day_count import DayCount
from twinops.errors import DataError


@dataclass(frozen=True)
class Asked:
    folder: Path | None
    batch: str = "all"
    max_rows: int = 5_000_000
    as_of: date = date(2018, 1, 1)
    days: DayCount = DAYS


def case(number: int, **changes) -> dict:
    return {
        "case_id": f"case-{number}",
        "customer": "17",
        "channel": "email",
        "category": "quality",
        "opened_at": "2017-03-01",
        "closed_at": "2017-03-04",
        "outcome": "refunded",
        "text": "I am writing because the milk was sour. Please refund it.",
        "agent": "agent 7",
    } | changes


def read(tmp_path: Path, *cases: dict | bytes) -> Reading:
    lines = [c if isinstance(c, bytes) else json.dumps(c).encode() for c in cases]
    (tmp_path / "care_cases.jsonl").write_bytes(b"\n".join(lines))
    return care_cases.read(None, Asked(tmp_path))


def test_a_case_enters_without_its_words_and_without_who_handled_it(tmp_path):
    reading = read(tmp_path, case(1))
    row = care_cases.sealed(reading.rows).to_pylist()[0]
    assert (row["customer"], row["opened"], row["closed"], row["outcome"], row["topic_quality"]) == (
        "17",
        59,
        62,
        "refunded",
        1,
    )
    assert "agent 7" not in str(row)
    assert "sour" not in str(row)
    assert reading.dropped == ("agent",)


def test_an_open_case_has_no_closing_day(tmp_path):
    assert read(tmp_path, case(1, closed_at=None, outcome="open")).rows["closed"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (case(9, opened_at="2031-01-01"), "in_the_future"),
        (case(9, opened_at="1.3.2017"), "bad_time"),
        (case(9, opened_at=None), "missing_value"),
        (case(9, closed_at="2017-02-28"), "closed_before_opened"),
        (case(9, closed_at=None), "missing_value"),
        (case(9, outcome="open"), "closed_before_opened"),
        (case(9, outcome="magic"), "unknown_value"),
        (case(9, category=7), "unknown_value"),
        (case(9, customer=None), "missing_value"),
        (case(9, customer="a b"), "bad_id"),
        (case(9, case_id="../../etc/passwd"), "bad_id"),
        (case(9, text=""), "empty_text"),
        (case(9, text="=cmd|'/c calc'!A0"), "formula_cell"),
        (case(9, text="x" * 50_000), "oversized"),
        (case(9, text="a\0b"), "nul_byte"),
        (case(1), "duplicate_id"),
        (b'{"case_id": "case-9", "text": "', "not_json"),
        (b"[1, 2]", "not_an_object"),
        (b'{"a": ' * 1_000_000, "oversized"),
        (b'{"a": ' * 5_000, "nested_too_deep"),
        (b'{"x": Infinity}', "not_a_finite_number"),
        (b'{"a": 1, "a": 2}', "duplicate_key"),
        (b'{"a": "\\ud800"}', "lone_surrogate"),
        (b'{"a": "\xff"}', "not_utf8"),
        (b'{"a": "' + b"x" * 10_000_000 + b'"}', "oversized"),
    ],
)
def test_a_broken_case_is_quarantined_with_its_reason_and_its_neighbours_arrive(tmp_path, broken, reason):
    reading = read(tmp_path, case(1), broken, case(2))
    assert reading.quarantined == {reason: 1}
    assert reading.rows.num_rows == 2


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError):
        care_cases.read(None, Asked(tmp_path))


def test_ten_thousand_broken_cases_none_enters_and_the_good_ones_beside_them_all_arrive(tmp_path):
    rng = np.random.default_rng(3)
    ways = (
        *care.SPOILERS[:3],
        *care.SPOILERS[4:15],
        care.SPOILERS[16],
        lambda raw: raw[: int(rng.integers(1, len(raw) - 1))],
        lambda raw: raw.replace(b'"2017-03-01"', b'"%04d-%02d-01"' % tuple(rng.integers(13, 1900, 2))),
        lambda raw: raw.replace(b'"17"', b"%d" % rng.integers(99)),
        lambda raw: raw.replace(b'"email"', b'"%s"' % bytes(rng.integers(97, 122, 9, dtype=np.uint8))),
        lambda raw: raw.replace(b"milk", bytes(rng.integers(128, 192, 3, dtype=np.uint8))),
    )
    broken = [ways[rng.integers(len(ways))](json.dumps(case(n)).encode()) for n in range(10_000)]
    lines = [i for n, b in enumerate(broken) for i in ((b, case(10**6 + n)) if n % 3 == 0 else (b,))]
    reading = read(tmp_path, *lines)
    assert set(reading.rows["event_id"].to_pylist()) == {
        event_id("case", f"case-{10**6 + n}") for n in range(0, 10_000, 3)
    }
    assert reading.refused.num_rows == 10_000
    assert all(reading.refused["reason"].to_pylist())


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_answered(tmp_path, data):
    (tmp_path / "care_cases.jsonl").write_bytes(data + b"\n" + json.dumps(case(2)).encode())
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        with pytest.raises(DataError, match="UTF-16"):
            care_cases.read(None, Asked(tmp_path))
    else:
        assert care_cases.read(None, Asked(tmp_path)).rows.num_rows == 1


def test_the_synthetic_cases_are_read_exactly_as_their_truth_says(tmp_path):
    world = care.cases([(f"C{n}", str(n)) for n in range(300)], seed=4, span=Span(date(2017, 1, 1), date(2017, 12, 31)))
    world.write(tmp_path)
    reading = care_cases.read(None, Asked(tmp_path))
    assert set(reading.rows["event_id"].to_pylist()) == {
        event_id("case", r["item"]) for r in world.truth.to_pylist() if r["fate"] == "enters"
    }
    assert reading.refused.num_rows == sum(r["fate"] == "quarantine" for r in world.truth.to_pylist())
    assert all(
        b"synthetic" in line for line in world.files["care_cases.jsonl"].splitlines() if line.startswith(b'{"case')
    )


def test_what_is_sealed_can_be_opened_again_and_quarantine_too(tmp_path):
    keys = MemoryKeys()
    reading = read(tmp_path, case(1), b"{}", case(2, closed_at=None, outcome="open"))
    table = care_cases.sealed(part(reading.rows, care_cases.SCHEMA).good)
    path, aside = tmp_path / "raw" / "all.parquet", tmp_path / "quarantine" / "all.parquet"
    write_sealed(table, path, dataset="care_cases", keys=keys, subject=care_cases.SUBJECT)
    opened = read_sealed(path, dataset="care_cases", keys=keys)
    assert opened["event_id"].to_pylist() == table["event_id"].to_pylist()
    assert "text" not in opened.column_names
    bad = reading.refused
    write_quarantine(bad, aside, dataset="care_cases", batch="all", keys=keys)
    assert read_quarantine(aside, dataset="care_cases", keys=keys).to_pylist() == bad.to_pylist()
    assert b"sour" not in path.read_bytes() + aside.read_bytes()
