"""The social head: what the horizon added, whom it may look at, and words that never claim more than a generator."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from twinops.entities.findings import Findings
from twinops.errors import DataError, IntegrityError
from twinops.evaluation.tastes.conclusions import tastes_conclusion
from twinops.evaluation.tastes.social import GENERATOR, ScoredSocial, measure_social
from twinops.twin.tastes.model_file import Preferences, from_text, to_text
from twinops.twin.tastes.social import Social, fit_social, social_rows

COLUMNS = ("sid", "cutoff", "may_train", "may_score", "social_records", "social_events",
           "texts_positive", "texts_neutral", "texts_negative")  # fmt: skip


def blend(*rows: tuple) -> pa.Table:
    kinds = (pa.string(), pa.int64(), pa.bool_(), pa.bool_(), *[pa.int64()] * 5)
    return pa.table({n: pa.array(c, k) for n, c, k in zip(COLUMNS, zip(*rows, strict=True), kinds, strict=True)})


def writers(households: int = 80) -> pa.Table:
    rng = np.random.default_rng(1)
    rows = []
    for h in range(households):
        pace, happy = rng.gamma(2.0, 0.05), rng.random()
        for day in (57, 85, 113, 141):
            events = int(pace * day) + 1
            rows.append((f"{h:032x}", day, True, True, 1, events, int(events * happy), 1, events - int(events * happy)))
    return blend(*rows)


def test_the_label_is_what_the_horizon_added():
    rows = social_rows(
        blend(("a", 57, True, True, 1, 3, 2, 1, 2), ("a", 85, True, True, 1, 8, 4, 1, 5)),
        horizon_days=28, window_days=365,
    )  # fmt: skip
    assert rows.cutoff.tolist() == [57]
    assert rows.more_events.tolist() == [5.0]
    assert rows.more_moods.tolist() == [[2.0, 0.0, 3.0]]


@pytest.mark.parametrize(
    "later",
    [
        ("a", 85, True, True, 2, 8, 4, 1, 5),  # another account was linked: its past would count as news
        ("a", 85, True, True, 0, 0, None, None, None),  # the account may not be blended any more
        ("a", 85, True, True, 1, 2, 2, 1, 2),  # fewer than before: something was taken back
        ("a", 86, True, True, 1, 8, 4, 1, 5),  # no row a horizon later
    ],
)
def test_what_cannot_be_compared_is_left_out(later):
    first = ("a", 57, True, True, 1, 3, 2, 1, 2)
    assert len(social_rows(blend(first, later), horizon_days=28, window_days=365)) == 0


def test_beyond_the_window_of_the_blend_nothing_is_said():
    both = (("a", 57, True, True, 1, 3, 2, 1, 2), ("a", 85, True, True, 1, 8, 4, 1, 5))
    assert len(social_rows(blend(*both), horizon_days=28, window_days=84)) == 0


def test_a_household_without_enough_texts_before_or_after_has_no_mood_to_predict():
    both = (("a", 57, True, True, 1, 3, None, None, None), ("a", 85, True, True, 1, 8, 4, 1, 5))
    assert social_rows(blend(*both), horizon_days=28, window_days=365).more_moods.sum() == 0


def test_consent_decides_who_is_learned_from_and_scored():
    table = writers(40)
    refused = pa.array([s != f"{3:032x}" for s in table["sid"].to_pylist()])
    for name in ("may_train", "may_score"):
        table = table.set_column(table.schema.get_field_index(name), name, refused)
    rows = social_rows(table, horizon_days=28, window_days=365)
    three = rows.household[0] + 3
    assert three not in rows.known_at(113, horizon_days=28).household
    assert three not in rows.scored_at(113).household


def test_expectations_by_hand():
    rows = social_rows(
        blend(("a", 57, True, True, 1, 3, 2, 1, 2), ("a", 85, True, True, 1, 8, 4, 1, 5)),
        horizon_days=28, window_days=365,
    )  # fmt: skip
    model = Social(28, shape=2.0, exposure=43.0, moods=(1.0, 1.0, 1.0))
    assert model.activity(rows).tolist() == pytest.approx([28 * (2 + 3) / (43 + 57)])
    assert model.sentiment(rows).tolist() == pytest.approx([(3 - 3) / 8])


def test_a_fitted_head_is_nearer_than_everybodys_mean_and_is_kept_as_text():
    rows = social_rows(writers(), horizon_days=28, window_days=365)
    past, now = rows.known_at(113, horizon_days=28), rows.scored_at(113)
    model = fit_social(past, horizon_days=28)
    off = np.abs(model.activity(now) - now.more_events).mean()
    assert off < np.abs(past.more_events.mean() - now.more_events).mean()
    text = to_text(Preferences(social=model))
    assert from_text(text).social == model
    for change in ({"shape": 0}, {"moods": [1, 1]}, {"exposure": "1"}, {"more": 1}):
        raw = json.loads(text)
        raw["social"].update(change)
        with pytest.raises(IntegrityError):
            from_text(json.dumps(raw))


def test_too_few_accounts_are_told():
    with pytest.raises(DataError, match="social accounts"):
        fit_social(social_rows(writers(10), horizon_days=28, window_days=365), horizon_days=28)
    with pytest.raises(DataError, match="social accounts"):
        fit_social(social_rows(writers(1).slice(0, 0), horizon_days=28, window_days=365), horizon_days=28)


def test_every_measure_says_synthetic_and_claims_nothing_about_people():
    rng = np.random.default_rng(2)
    came = rng.poisson(2, 60).astype(float)
    day = ScoredSocial(113, np.arange(60), came, np.where(came > 2, 0.5, np.nan),
                       {"twin": (came + 0.1, np.zeros(60)), "mean": (np.full(60, 2.0), np.zeros(60))})  # fmt: skip
    draws = np.vstack([np.ones((1, 60), int), rng.multinomial(60, [1 / 60] * 60, 60)])
    measures = measure_social([day], draws, seed=1, synthetic=True)
    assert measures
    assert all(m.name.startswith("synthetic_") and GENERATOR in m.method for m in measures)
    assert "nothing about people" in tastes_conclusion(Findings(tuple(measures)))
