"""Lines cut into records: what a forgotten quote may take with it, and how much is looked at."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinops.data.reading.csv_records import (
    MAX_LINES,
    MAX_RECORD,
    Shape,
    in_bytes,
    in_text,
    names,
    records,
)
from twinops.data.reading.reading import Fault

NUMBERED = Shape(2, begins=re.compile(r"k\d+,", re.ASCII))
ANY = Shape(2)


def cut(text: bytes, shape: Shape) -> list[tuple[int, list[str], Fault | None]]:
    return [(r.line, r.cells, r.refused) for r in records(in_text(text.split(b"\n")), shape)]


@pytest.mark.parametrize("shape", [NUMBERED, ANY])
def test_a_quoted_cell_runs_over_lines_and_the_next_record_is_counted_behind_it(shape):
    assert cut(b'k1,"a\n\nb"\n\nk2,c', shape) == [(2, ["k1", "a\n\nb"], None), (6, ["k2", "c"], None)]


@pytest.mark.parametrize("shape", [NUMBERED, ANY])
def test_a_forgotten_quote_takes_its_own_line_and_no_other(shape):
    found = cut(b'k1,"a\nk2,b\nk3,c', shape)
    assert found == [(2, [], Fault.TORN), (3, ["k2", "b"], None), (4, ["k3", "c"], None)]


def test_a_line_that_begins_as_records_do_is_one_even_with_a_quote_in_it():
    assert [r for _, _, r in cut(b'k1,"a\nk2,"b"', NUMBERED)] == [Fault.TORN, None]


def test_where_nobody_knows_how_a_record_begins_two_forgotten_quotes_do_not_make_one():
    assert [r for _, _, r in cut(b'k1,"a\nk2,b",c\nk3,d', ANY)] == [Fault.TORN, Fault.TORN, None]


@pytest.mark.parametrize(("lines", "why"), [(MAX_LINES, None), (MAX_LINES + 1, Fault.TORN)])
@pytest.mark.parametrize("shape", [NUMBERED, ANY])
def test_a_cell_has_so_many_lines_and_not_one_more(shape, lines, why):
    assert cut(b'k1,"' + b"\n" * (lines - 1) + b'"', shape)[0][2] == why


@pytest.mark.parametrize("shape", [NUMBERED, ANY])
def test_a_record_is_measured_in_bytes(shape):
    fits = "k1," + "é" * ((MAX_RECORD - 3) // 2)
    assert cut(fits.encode(), shape)[0][2] is None
    assert cut(f"{fits}éé".encode(), shape)[0][2] == Fault.OVERSIZED


def test_an_open_quote_stops_looking_once_the_record_is_too_large():
    torn = b'k1,"' + b"\n".join([b"x" * (MAX_RECORD // 2)] * 10)
    assert cut(torn, NUMBERED)[0] == (2, [], Fault.TORN)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"k1,a\0", Fault.NUL),
        (b"k1,\xff", Fault.NOT_UTF8),
        (b"k1,a,b", Fault.FIELD_COUNT),
        (b'k1,"a"b', Fault.TORN),
    ],
)
@pytest.mark.parametrize("shape", [NUMBERED, ANY])
def test_a_record_is_refused_for_what_it_is(shape, line, why):
    assert [r for _, _, r in cut(line + b"\nk2,b", shape)] == [why, None]


@given(st.binary(max_size=300))
def test_no_byte_is_lost_and_none_is_read_twice(data):
    lines = [line for line in data.split(b"\n") if line.strip()]
    for shape in (NUMBERED, ANY):
        found = [in_bytes(r.raw) for r in records(in_text(data.split(b"\n")), shape)]
        assert [line for raw in found for line in raw.split(b"\n") if line.strip()] == lines


def test_a_header_names_each_column_once_or_none_is_read():
    assert names("a, b ") == ["a", "b"]
    assert names('"a;b";c', ";") == ["a;b", "c"]
    assert names("a,a") == names("") == names('a,"b') == names("a,\0") == []
