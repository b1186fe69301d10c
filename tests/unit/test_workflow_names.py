"""Verbs are found by name, nothing else is runnable, and what their type hints ask for is supplied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from twinops import plugins
from twinops.errors import ParamsError
from twinops.params import FeaturesParams, TrainParams
from twinops.ports import KeyStore
from twinops.wiring import WORKFLOWS, Project, asked, find, injected
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.places import Places


@pytest.mark.parametrize("verb", ["train", "collect", "dpia.answer", "retention.sign"])
def test_a_verb_is_the_function_that_is_called_as_its_module(verb):
    assert find(verb).__module__.rpartition(".")[2].endswith(find(verb).__name__)


@pytest.mark.parametrize(
    "name", ["places", "receipts", "data_plane", "dpia.places", "no_such", "", "_x", "train.train", "pipeline.dpia"]
)
def test_what_is_no_verb_is_refused_and_not_offered(name):
    with pytest.raises(ParamsError, match="No workflow is called") as refused:
        find(name)
    offered = str(refused.value.hint).rstrip(".").replace(", ", " ").split(" ")
    assert {"train", "sign", "pipeline"} & set(offered), "what there is, of the shelf that was asked"
    assert name.rpartition(".")[2] not in offered


def test_every_verb_of_every_room_can_be_called():
    for room in plugins.rooms(WORKFLOWS):
        assert plugins.verbs(f"{WORKFLOWS}.{room}")
        for name in plugins.verbs(f"{WORKFLOWS}.{room}"):
            assert callable(find(f"{room}.{name}"))


def test_a_record_of_ports_and_sections_is_supplied_as_a_whole():
    @dataclass(frozen=True)
    class Recipe:
        plane: DataPlane
        grid: FeaturesParams
        as_of: date
        champion: str = "glm"

    @dataclass(frozen=True)
    class Said:
        grid: FeaturesParams
        word: str

    def workflow(recipe: Recipe, penalties: TrainParams, *, who: str) -> None: ...

    workflow.__annotations__ |= {"recipe": Recipe, "penalties": TrainParams, "who": str}
    Recipe.__annotations__ |= {"plane": DataPlane, "grid": FeaturesParams, "as_of": date, "champion": str}
    Said.__annotations__ |= {"grid": FeaturesParams, "word": str}
    assert injected(Recipe)
    assert not injected(Said), "a word is nobody's to supply"
    assert {Places, KeyStore, FeaturesParams, TrainParams, date} <= asked(workflow)


def test_a_workflow_that_is_called_with_the_wrong_words_says_so(tmp_path: Path):
    with pytest.raises(ParamsError, match="was not called as it expects"):
        Project(tmp_path).run("candidate.judge", colour="red")
