from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from shoppers import GRID, crowd, examples_of

from twinops.errors import IntegrityError
from twinops.params import ChallengerParams, TrainParams
from twinops.twin.model.boosted_trees import FEATURES, HEADS, Challenger, fit_challenger
from twinops.twin.model.recipe import Recipe
from twinops.twin.model.lightgbm_text import parsed
from twinops.twin.model.model import AVERAGE, GLM, LIGHTGBM
from twinops.twin.model.model_file import from_text, to_text

KNOWN = examples_of(crowd(100)).all_closed()
TREES = ChallengerParams(least_rows=20, activity_trees=20, rate_trees=30)
PENALTIES = TrainParams(activity_c=0.2, spend_alpha=0.01)


@pytest.fixture(scope="module")
def challenger() -> Challenger:
    return fit_challenger(KNOWN, GRID, TREES)


def test_numpy_reads_the_trees_as_lightgbm_does(challenger):
    import lightgbm

    x = challenger.features(KNOWN.table)
    made = challenger.predict(KNOWN.table)
    for head, ours in zip(HEADS, (made.active_probability, made.baskets, made.spend), strict=True):
        theirs = lightgbm.Booster(model_str=getattr(challenger, head)).predict(x, num_threads=1)
        assert ours == pytest.approx(theirs, abs=1e-4)


def test_shares_of_features_add_up_to_the_prediction(challenger):
    shares = challenger.contributions(KNOWN.table.slice(0, 7), "activity")
    assert shares.shape == (7, len(FEATURES) + 1)
    said = challenger.forests["activity"].predictor(challenger.features(KNOWN.table.slice(0, 7)))
    assert shares.sum(axis=1) == pytest.approx(said, abs=1e-9)


def test_the_same_rows_give_the_same_text(challenger):
    assert fit_challenger(KNOWN, GRID, TREES) == challenger


def test_trees_are_small_and_leaves_hold_many_rows(challenger):
    for tree in challenger.forests["spend"].trees:
        assert len(tree.leaf) <= TREES.leaves
    counts = [line for line in challenger.spend.splitlines() if line.startswith("leaf_count=")]
    # while it splits, LightGBM guesses counts from its second derivatives
    assert min(int(n) for line in counts for n in line.partition("=")[2].split()) >= TREES.least_rows / 2


@pytest.mark.parametrize("champion", [LIGHTGBM, AVERAGE])
def test_a_champion_of_trees_is_stored_and_predicts_the_same(champion):
    model = Recipe(GRID, PENALTIES, TREES, champion=champion).fit(KNOWN)
    again = from_text(to_text(model))
    assert again == model
    ours, heads, trees = (m(KNOWN.table).spend for m in (again.predict, again.by_heads, again.challenger.predict))
    assert ours == pytest.approx(trees if champion == LIGHTGBM else (heads + trees) / 2, abs=1e-4)


def test_a_regression_that_is_champion_carries_no_trees():
    assert Recipe(GRID, PENALTIES, TREES, champion=GLM).fit(KNOWN).challenger is None


def test_trees_whose_digest_does_not_fit_are_refused():
    text = to_text(Recipe(GRID, PENALTIES, TREES, champion=LIGHTGBM).fit(KNOWN))
    with pytest.raises(IntegrityError, match="digest"):
        from_text(text.replace("leaf_value=", "leaf_value=1", 1))


def test_trees_are_evaluated_without_lightgbm():
    code = (
        "import sys, twinops.twin.model.model_file, twinops.twin.model.lightgbm_text; print('lightgbm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


SMALL = """tree
Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
threshold=0.5 2
decision_type=2 2
left_child=1 -1
right_child=-3 -2
leaf_value=1 10 100

end of trees
"""


def test_a_tree_by_hand():
    forest = parsed(SMALL, features=2)
    # x0 <= .5 goes to the second split (x1 <= 2: 1, else 10); above it is the third leaf
    assert forest.predictor(np.array([[0.5, 2.0], [0.0, 3.0], [0.6, 0.0]])).tolist() == [1, 10, 100]


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        ("split_feature=0 1", "split_feature=0 2"),
        ("split_feature=0 1", "split_feature=0"),
        ("left_child=1 -1", "left_child=0 -1"),
        ("left_child=1 -1", "left_child=1 -9"),
        ("decision_type=2 2", "decision_type=1 2"),
        ("leaf_value=1 10 100", "leaf_value=1 10 nan"),
        ("leaf_value=1 10 100", "leaf_value=1 10 1e99"),
        ("leaf_value=1 10 100", "leaf_value=" + "1 " * 100),
        ("num_cat=0", "num_cat=1"),
        ("threshold=0.5 2", "threshold=0.5 two"),
        ("Tree=0", "Wood=0"),
    ],
)
def test_hostile_trees_are_refused(part, instead):
    with pytest.raises(ValueError, match=r".+"):
        parsed(SMALL.replace(part, instead), features=2)
