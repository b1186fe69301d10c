"""`make test` of a project says in one sentence what to do, where results are older than what they are made from."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from candidate import ROOT


@pytest.fixture
def shipped() -> ModuleType:
    path = ROOT / "setup" / "project" / "tests" / "test_project.py"
    spec = importlib.util.spec_from_file_location("shipped_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_after_an_update_it_names_the_stages_and_says_make_run(shipped, monkeypatch):
    class Played:
        def __init__(self, root):
            self.root = root

        def changed(self):
            return {f"stage{n}": ("data/raw/a.parquet", "params.yaml: months") for n in range(7)}

    monkeypatch.setattr(shipped, "DvcStore", Played)
    with pytest.raises(pytest.fail.Exception) as failed:
        shipped.test_what_ran_is_what_lies_here()
    told = "these 7 stages would make now: stage0, stage1, stage2, stage3, stage4 and others. `make run`, then"
    assert told in str(failed.value)
    assert failed.value.pytrace is False


def test_other_code_than_is_written_down_is_one_sentence_too(shipped, monkeypatch):
    monkeypatch.setattr(shipped, "strange", lambda root: "twinops 2 runs, and pins.yaml pins 1")
    with pytest.raises(pytest.fail.Exception, match="pins 1: `make run`, or `twinops upgrade --write`") as failed:
        shipped.test_the_code_that_is_installed_is_the_code_that_is_written_down()
    assert failed.value.pytrace is False
