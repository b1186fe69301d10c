"""Executing a notebook hands the runner every subject id there is, and takes only names of notebooks."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from candidate import ROOT

from twinops.errors import ParamsError
from twinops.params import read
from twinops.workflows.pipeline.notebook import known_sids, notebook
from twinops.workflows.places import Places

PARAMS = read(ROOT / "params.yaml")


class Recorder:
    def __init__(self) -> None:
        self.asked: dict[str, object] = {}

    def run(self, source: Path, into: Path, **arguments: object) -> None:
        self.asked = {"source": source, "into": into, **arguments}

    def left_open(self, source: Path) -> frozenset[str]:
        return frozenset({"activity_c", "project_of_mine"})


def batch(places: Places, source: str, name: str, sids: list[bytes]) -> None:
    path = places.raw(source, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"sid": pa.array(sids, pa.binary(16))}), path)


def test_the_runner_is_told_every_subject_of_every_batch(tmp_path: Path) -> None:
    places, runner = Places(tmp_path), Recorder()
    batch(places, "transactions", "2017-01", [b"a" * 16, b"b" * 16])
    batch(places, "consent", "all", [b"b" * 16, b"c" * 16])
    notebook("train", places=places, notebooks=runner, params=PARAMS)
    assert runner.asked["known_sids"]() == {"61" * 16, "62" * 16, "63" * 16}
    assert runner.asked["source"] == places.notebook("train")
    assert runner.asked["into"] == places.executed("train")


def test_before_anything_was_collected_nobody_is_known(tmp_path: Path) -> None:
    assert known_sids(Places(tmp_path)) == frozenset()


@pytest.mark.parametrize("name", ["../train", "train.py", "/train", "", "Train"])
def test_a_path_is_no_name_of_a_notebook(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParamsError, match="no name of a notebook"):
        notebook(name, places=Places(tmp_path), notebooks=Recorder(), params=PARAMS)


def test_a_section_fills_what_the_cell_leaves_open_and_an_argument_is_heard_before_it(tmp_path: Path) -> None:
    runner = Recorder()
    notebook("train", places=Places(tmp_path), notebooks=runner, params=PARAMS, section="train")
    assert runner.asked["parameters"] == {"activity_c": 0.2}
    notebook("train", places=Places(tmp_path), notebooks=runner, params=PARAMS, section="train", activity_c="0.5")
    assert runner.asked["parameters"] == {"activity_c": 0.5}
    with pytest.raises(ParamsError, match="no section 'tran'"):
        notebook("train", places=Places(tmp_path), notebooks=runner, params=PARAMS, section="tran")
