"""The panel's delivery: what enters, what is refused, and that its truth is known only to the generator."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from supplying import DAYS

from twinops.data.reading.reading import Reading
from twinops.data.sources import panelists as panel
from twinops.demo import panel as demo
from twinops.entities.day_count import DayCount
from twinops.errors import DataError

COLUMNS = ("panelist", "wave", *panel.CODES, *panel.SHOPPING, *panel.SCALES, "religion")


@dataclass(frozen=True)
class Asked:
    folder: Path | None
    batch: str = "all"
    max_rows: int = 5_000_000
    as_of: date = date(2018, 1, 1)
    days: DayCount = DAYS


def row(number: int, **changes: str) -> bytes:
    cells = {
        "panelist": f"p-{number}",
        "wave": "2017-12-01",
        **{n: c[0] for n, c in panel.CODES.items()},
        "baskets_per_4_weeks": "4",
        "spend_per_4_weeks": "120",
        **dict.fromkeys(panel.SCALES, "50"),
        "religion": "none",
    } | changes
    return ",".join(cells.values()).encode()


def read(tmp_path: Path, *rows: bytes) -> Reading:
    (tmp_path / "panel.csv").write_bytes(b"\n".join([",".join(COLUMNS).encode(), *rows]))
    return panel.read(None, Asked(tmp_path))


def test_answers_enter_and_a_special_category_stays_outside(tmp_path):
    reading = read(tmp_path, row(1, age=""))
    found = reading.rows.to_pylist()[0]
    assert (found["panelist"], found["age"], found["income"], found["price_consciousness"], found["day"]) == (
        "p-1",
        None,
        "Under 15K",
        50,
        334,
    )
    assert reading.dropped == ("religion",)
    assert "religion" not in reading.rows.column_names


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"panelist": "anna@mail.example"}, "bad_id"),
        ({"wave": "2031-01-01"}, "in_the_future"),
        ({"wave": "soon"}, "bad_time"),
        ({"age": "forty"}, "unknown_value"),
        ({"spend_per_4_weeks": "-3"}, "unknown_value"),
        ({"spend_per_4_weeks": "1e9"}, "unknown_value"),
        ({"spend_per_4_weeks": "999999"}, "out_of_range"),
        ({"brand_loyalty": "101"}, "out_of_range"),
        ({"brand_loyalty": ""}, "missing_value"),
        ({"brand_loyalty": "NaN"}, "unknown_value"),
        ({"brand_loyalty": "٥٠"}, "unknown_value"),
        ({"brand_loyalty": "=1+1"}, "formula_cell"),
        ({"brand_loyalty": "5\0"}, "nul_byte"),
        ({"religion": "a,b"}, "wrong_field_count"),
        ({"religion": '"open'}, "torn_record"),
        ({"religion": "x" * 10_000_000}, "oversized"),
        ({"panelist": "p-1"}, "duplicate_id"),
    ],
)
def test_a_broken_answer_is_quarantined_with_its_reason_and_its_neighbours_arrive(tmp_path, changes, reason):
    reading = read(tmp_path, row(1), row(9, **changes), row(2))
    assert reading.quarantined == {reason: 1}
    assert reading.rows["panelist"].to_pylist() == ["p-1", "p-2"]


def test_ten_thousand_broken_answers_none_enters_and_the_good_ones_beside_them_all_arrive(tmp_path):
    rng = np.random.default_rng(4)
    breaks = (
        {"wave": "20x7"},
        {"age": "0-9"},
        {"income": "lots"},
        {"kids_count": "-1"},
        {"baskets_per_4_weeks": ""},
        {"baskets_per_4_weeks": "9" * 40},
        {"novelty_seeking": "50.5"},
        {"cooking_enjoyment": "1O"},
        {"quality_orientation": "=A1"},
        {"religion": '"'},
        {"religion": "\0"},
        {"religion": "a,b,c"},
        {"wave": "2999-01-01"},
    )
    broken = [row(n, **breaks[rng.integers(len(breaks))]) for n in range(10_000)]
    broken = [
        b.replace(b"none", bytes(rng.integers(128, 192, 2, dtype=np.uint8))) if n % 50 == 0 else b
        for n, b in enumerate(broken)
    ]
    reading = read(tmp_path, *(i for n, b in enumerate(broken) for i in ((b, row(10**6 + n)) if n % 3 == 0 else (b,))))
    assert reading.rows["panelist"].to_pylist() == [f"p-{10**6 + n}" for n in range(0, 10_000, 3)]
    assert reading.refused.num_rows == 10_000
    assert all(reading.refused["reason"].to_pylist())


def test_a_delivery_without_a_scale_is_a_data_error(tmp_path):
    (tmp_path / "panel.csv").write_bytes(b"panelist,wave\np-1,2017-12-01")
    with pytest.raises(DataError):
        panel.read(None, Asked(tmp_path))


def test_the_generator_keeps_to_its_code_books_and_seed(tmp_path):
    (tmp_path / "panel.csv").write_bytes(demo.answers(600, seed=2, wave=date(2017, 12, 1)))
    reading = panel.read(None, Asked(tmp_path))
    assert reading.in_file == 600
    assert reading.rows.num_rows > 560
    assert demo.answers(600, seed=2, wave=date(2017, 12, 1)) == (tmp_path / "panel.csv").read_bytes()
    assert panel.SCHEMA.holds(reading.rows)


def test_answers_depend_on_what_the_generator_says_and_on_the_unseen_only_where_it_says():
    people = demo.panelists(4_000, seed=1)
    answers = demo.true_answers(people, seed=1)
    assert np.corrcoef(answers["price_consciousness"], people.unseen)[0, 1] > 0.35
    assert abs(np.corrcoef(answers["brand_loyalty"], people.unseen)[0, 1]) < 0.06
    assert np.corrcoef(answers["brand_loyalty"], people.codes["age"])[0, 1] > 0.3
    without = demo.true_answers(people, seed=1, unseen_matters=False)
    assert abs(np.corrcoef(without["price_consciousness"], people.unseen)[0, 1]) < 0.06


def test_a_household_without_demographics_answers_like_an_average_one():
    table = pa.table({name: pa.array([None, codes[-1]], pa.string()) for name, codes in demo.CODES.items()})
    people = demo.households(table, np.array([4, 4]), np.array([100, 100]), np.zeros(2))
    assert people.codes["age"].tolist() == [-1, 5]
    assert set(demo.true_answers(people, seed=1)) == set(demo.SCALES)
