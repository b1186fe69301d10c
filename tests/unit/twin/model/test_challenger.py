from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from shoppers import GRID, crowd, examples_of

from twinops.errors import IntegrityError
from twinops.params import ChallengerParams, TrainParams
from twinops.twin.model import lightgbm_text
from twinops.twin.model.boosted_trees import FEATURES, HEADS, Challenger, fit_challenger
from twinops.twin.model.families import Speakers
from twinops.twin.model.lightgbm_text import parsed
from twinops.twin.model.model_file import from_text, to_text
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.terms import TERMS

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


def test_a_household_alone_gets_the_same_bits_as_among_all_others(challenger, monkeypatch):
    x, forest = challenger.features(KNOWN.table), challenger.forests["spend"]
    among = forest.predictor(x)
    assert [float(forest.predictor(x[i : i + 1])[0]) for i in range(40)] == among[:40].tolist()
    monkeypatch.setattr(lightgbm_text, "ROWS_AT_ONCE", 7)
    assert forest.predictor(x).tolist() == among.tolist()


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


@pytest.mark.parametrize("said", [("trees",), ("regression", "trees")])
def test_trees_that_speak_say_their_part_and_split_on_terms_alone(said):
    model = Recipe(GRID, PENALTIES, TREES, Speakers(spend=said)).fit(KNOWN)
    answers = model.answers(KNOWN.table)
    assert model.means(KNOWN.table).spend == pytest.approx(
        np.mean([answers[family]["spend"] for family in said], axis=0), abs=1e-4
    )
    assert model.trees.features(KNOWN.table).shape[1] == len(TERMS)


def test_regressions_carry_no_trees():
    assert Recipe(GRID, PENALTIES, TREES).fit(KNOWN).trees is None


def test_trees_whose_digest_does_not_fit_are_refused():
    text = to_text(Recipe(GRID, PENALTIES, TREES, Speakers(activity=("trees",))).fit(KNOWN))
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
