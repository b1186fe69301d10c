"""What `make bench` left is in the shape that other tools read."""

from __future__ import annotations

import json
from pathlib import Path

ROWS = json.loads((Path(__file__).parents[2] / "bench" / "results.json").read_text(encoding="utf-8"))


def test_every_row_has_the_fields_of_the_contract() -> None:
    assert {frozenset(row) for row in ROWS} == {frozenset({"name", "value", "unit", "peer", "ratio", "n", "note"})}
    assert all((row["peer"] is None) == (row["ratio"] is None) for row in ROWS)


def test_each_name_stands_once_and_those_of_the_contract_are_there() -> None:
    names = [row["name"] for row in ROWS]
    assert len(names) == len(set(names))
    assert {"pipeline_cpu", "noop_repro_cpu", "param_back_cpu", "seal_cpu", "seal_size", "open_cpu"} <= set(names)
