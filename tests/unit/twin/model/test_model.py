from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoppers import GRID, crowd, examples_of

from twinops.errors import DataError, IntegrityError
from twinops.params import ChallengerParams, TrainParams
from twinops.twin.model.model_file import LARGEST_FILE, from_text, to_text
from twinops.twin.model.recipe import Recipe

PENALTIES = TrainParams(activity_c=1.0, spend_alpha=0.001)
KNOWN = examples_of(crowd(100)).all_closed()
MODEL = Recipe(GRID, PENALTIES, ChallengerParams()).fit_with_intervals(KNOWN)
TEXT = to_text(MODEL)


def changed(change) -> str:
    raw = json.loads(TEXT)
    change(raw)
    return json.dumps(raw)


def test_what_is_written_is_read_back_and_predicts_the_same():
    again = from_text(TEXT)
    assert again == MODEL
    assert np.array_equal(again.predict(KNOWN.table).spend, MODEL.predict(KNOWN.table).spend)


def test_predictions_tell_the_active_from_the_gone_and_sum_to_what_was_spent():
    made = MODEL.predict(KNOWN.table)
    assert made.active_probability[KNOWN.active > 0].mean() > made.active_probability[KNOWN.active == 0].mean() + 0.2
    assert made.spend.sum() == pytest.approx(KNOWN.spend.sum(), rel=0.02)


def test_terms_times_weights_are_the_whole_explanation():
    z = MODEL.standardised(KNOWN.table.slice(0, 1))[0]
    said = MODEL.activity.intercept + sum(w * v for w, v in zip(MODEL.activity.weights, z, strict=True))
    assert MODEL.predict(KNOWN.table.slice(0, 1)).active_probability[0] == pytest.approx(
        1 - (1 + np.exp(said) / 3) ** -3, abs=1e-6
    )


def test_the_model_is_the_same_text_for_any_order_of_rows():
    transactions = crowd(100)
    shuffled = transactions.take(pa.array(np.random.default_rng(9).permutation(transactions.num_rows)))
    made = Recipe(GRID, PENALTIES, ChallengerParams()).fit_with_intervals(examples_of(shuffled).all_closed())
    assert to_text(made) == TEXT


def test_a_model_carries_the_ranges_that_belong_to_it():
    ranges = from_text(TEXT).ranges(MODEL.predict(KNOWN.table))
    assert (ranges.spend_low <= ranges.spend_high).all()
    assert 0.6 < ((ranges.spend_low <= KNOWN.spend) & (KNOWN.spend <= ranges.spend_high)).mean() <= 1


def test_a_term_a_head_does_not_use_weighs_nothing():
    assert MODEL.activity.weights[-1] != 0
    assert MODEL.baskets.weights[-1] == MODEL.spend.weights[-1] == 0


def test_no_subject_is_in_the_model():
    assert not any(sid in TEXT for sid in KNOWN.table["sid"].to_pylist())
    assert "sid" not in TEXT


def test_a_table_without_the_state_is_refused():
    with pytest.raises(DataError, match="no column"):
        MODEL.predict(pa.table({"cutoff": [1]}))


HOSTILE = {
    "empty": "",
    "not JSON": "pickle",
    "a list": "[]",
    "a number": "7",
    "cut off": TEXT[:200],
    "another schema": changed(lambda m: m.update(schema="twinops.twin/1")),
    "an unknown family": changed(lambda m: m["speakers"].update(spend=["me"])),
    "a family that is not there": changed(lambda m: m["speakers"].update(spend=["trees"])),
    "trees that have no say": changed(lambda m: m.update(trees={"texts": {}, "sha256": ""})),
    "intervals that are text": changed(lambda m: m.update(intervals="wide")),
    "an interval too few": changed(lambda m: m["intervals"].pop("spend")),
    "an unknown field": changed(lambda m: m.update(extra=1)),
    "a missing field": changed(lambda m: m.pop("intercepts")),
    "not a number": TEXT.replace('"horizon_days": 28', '"horizon_days": NaN'),
    "a NaN weight": changed(lambda m: m["terms"][0].update(activity=float("nan"))),
    "an infinite weight": changed(lambda m: m["terms"][0].update(spend=float("inf"))),
    "a weight that overflows": TEXT.replace('"activity": ', '"activity": 1e999, "old": ', 1),
    "an enormous weight": changed(lambda m: m["terms"][0].update(activity=1e300)),
    "a text weight": changed(lambda m: m["terms"][0].update(activity="1.0")),
    "a true weight": changed(lambda m: m["terms"][0].update(activity=True)),
    "no weight": changed(lambda m: m["terms"][0].update(activity=None)),
    "a term too few": changed(lambda m: m["terms"].pop()),
    "a term too many": changed(lambda m: m["terms"].append(m["terms"][0])),
    "terms in another order": changed(lambda m: m["terms"].reverse()),
    "a spread of zero": changed(lambda m: m["terms"][0].update(spread=0)),
    "a negative spread": changed(lambda m: m["terms"][0].update(spread=-1.0)),
    "a negative prior": changed(lambda m: m["priors"]["slow"].update(exposure=-1.0)),
    "a negative variance": changed(lambda m: m["priors"].update(log_value_variance=-0.1)),
    "half a day": changed(lambda m: m.update(horizon_days=28.5)),
    "two decays": changed(lambda m: m.update(decay_days=[10, 30])),
    "decays that are no list": changed(lambda m: m.update(decay_days={"0": 10})),
    "a key given twice": TEXT.replace('"horizon_days": 28', '"horizon_days": 28, "horizon_days": 7'),
    "a bomb of brackets": "[" * 90_000,
    "too long": TEXT + " " * LARGEST_FILE,
    "a number of many digits": TEXT.replace('"horizon_days": 28', '"horizon_days": ' + "9" * 5000),
    "priors that are text": changed(lambda m: m.update(priors="none")),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_model_file_is_an_integrity_error(text):
    with pytest.raises(IntegrityError, match="not a twin model"):
        from_text(text)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(TEXT) - 1), st.characters())
def test_one_changed_character_is_a_model_or_an_integrity_error(place, character):
    text = TEXT[:place] + character + TEXT[place + 1 :]
    try:
        predicted = from_text(text).predict(KNOWN.table.slice(0, 5))
    except IntegrityError:
        return
    assert np.isfinite(predicted.spend).all()


def test_loading_a_model_needs_no_learning_library():
    heavy = "{'sklearn', 'scipy', 'duckdb', 'pandas'}"
    code = f"import sys, twinops.twin.model.model_file; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
