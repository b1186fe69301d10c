"""An update asks the candidate that is there, and has one made only where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from shoppers import GRID, crowd, examples_of

from twinops.params import ChallengerParams, TrainParams
from twinops.twin.model.model_file import to_text
from twinops.twin.model.recipe import Recipe
from twinops.whole_files import write
from twinops.workflows.places import Places
from twinops.workflows.update.usable import usable

PENALTIES = TrainParams(activity_c=1.0, spend_alpha=0.001)
TEXT = to_text(Recipe(GRID, PENALTIES, ChallengerParams()).fit_with_intervals(examples_of(crowd(100)).all_closed()))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """All that a run leaves of its candidate."""
    made = Places(tmp_path)
    write(made.model, TEXT)
    for path in (made.recipe, made.penalties, made.evidence):
        write(path, "{}")
    return made


def test_a_candidate_that_is_whole_and_remembers_as_the_parameters_say_is_asked(places: Places) -> None:
    assert usable(places=places, grid=GRID)
    later = GRID.model_copy(update={"first_cutoff": GRID.first_cutoff + 28, "last_cutoff": GRID.last_cutoff + 28})
    assert usable(places=places, grid=later), "windows that move on are no reason for another one"


@pytest.mark.parametrize("lost", ["model", "recipe", "penalties", "evidence"])
def test_one_whose_making_broke_off_is_made_anew(places: Places, lost: str) -> None:
    getattr(places, lost).unlink()
    assert not usable(places=places, grid=GRID)


@pytest.mark.parametrize("said", [{"horizon_days": 56}, {"decay_days": (5, 15, 45)}])
def test_one_that_was_taught_another_horizon_or_other_memories_is_made_anew(
    places: Places, said: dict[str, object]
) -> None:
    assert not usable(places=places, grid=GRID.model_copy(update=said))
