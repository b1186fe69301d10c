"""What `make bench` left is in the shape that other tools read, and it can still be run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
ROWS = json.loads((BENCH / "results.json").read_text(encoding="utf-8"))
ELSEWHERE = {"features_polars"}
"""Runs in an environment of its own, and imports nothing of the project."""


def test_every_bench_finds_what_it_imports() -> None:
    names = sorted({path.stem for path in BENCH.glob("*.py")} - ELSEWHERE)
    done = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(names)}"], cwd=BENCH, capture_output=True, text=True, check=False
    )
    assert (len(names) > 10, done.stderr) == (True, "")


def test_every_row_has_the_fields_of_the_contract() -> None:
    assert {frozenset(row) for row in ROWS} == {frozenset({"name", "value", "unit", "peer", "ratio", "n", "note"})}
    assert all((row["peer"] is None) == (row["ratio"] is None) for row in ROWS)


def test_each_name_stands_once_and_those_of_the_contract_are_there() -> None:
    names = [row["name"] for row in ROWS]
    assert len(names) == len(set(names))
    wanted = """pipeline_cpu noop_repro_cpu param_back_cpu seal_cpu seal_size open_cpu features_cpu_1x features_cpu_10x
        features_mem_10x growth_exponent linkage_f1_2k5 linkage_f1_100k linkage_cpu_100k linkage_f1_1m linkage_cpu_1m
        linkage_mem_1m"""
    assert set(wanted.split()) <= set(names)


@pytest.mark.parametrize("size", ["2k5", "100k", "1m"])
def test_the_linkage_was_better_than_its_peer_at_every_size(size: str) -> None:
    row = next(r for r in ROWS if r["name"] == f"linkage_f1_{size}")
    assert row["value"] - row["value"] / row["ratio"] > 0.02
    assert float(re.search(r"precision [\d.]+ \[([\d.]+),", row["note"])[1]) >= 0.99


def test_ten_times_the_receipts_fit_into_four_gigabytes_and_cost_about_ten_times_as_much() -> None:
    measured = {row["name"]: row["value"] for row in ROWS}
    assert max(measured["features_mem_10x"], measured["features_vault_mem_10x"]) < 4096
    assert measured["growth_exponent"] < 1.2
