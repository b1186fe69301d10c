"""Coupons: what was known the evening before a campaign, who redeemed, and a head that learns from what was over."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from shoppers import GRID, engine_with, permissions
from tasters import MEMORIES, receipts, shopped

from twinops.entities.findings import Findings
from twinops.errors import DataError, IntegrityError
from twinops.evaluation.tastes.conclusions import tastes_conclusion
from twinops.evaluation.tastes.coupons import RESPONSE, ScoredCampaigns, coupon_facts, measure_coupons
from twinops.twin.tastes import baselines
from twinops.twin.tastes.coupon_rows import CouponRows, campaign_days, coupon_rows, tell
from twinops.twin.tastes.coupons import HISTORY, Answering, enough, fit_answering, fit_coupons, term_names
from twinops.twin.tastes.events import Horizons
from twinops.twin.tastes.model_file import Preferences, from_text, to_text

A, B = "a" * 32, "b" * 32
MEMBERS = [(A, 1, "Type A", 40), (A, 2, "Type B", 60), (B, 2, "Type B", 60), (A, 3, "Type A", 90), (B, 3, "Type A", 90)]
REDEEMED = [(A, 1, 45), (A, 1, 46), (A, 2, 89), (B, 3, 90), (A, 3, 118)]


def campaigns(members=tuple(MEMBERS)) -> pa.Table:
    kinds = (pa.string(), pa.int64(), pa.string(), pa.int64())
    names = ("sid", "campaign_id", "campaign_type", "start_day")
    return pa.table({n: pa.array(c, k) for n, c, k in zip(names, zip(*members, strict=True), kinds, strict=True)})


def redemptions(redeemed=tuple(REDEEMED)) -> pa.Table:
    kinds = (pa.string(), pa.int64(), pa.int64())
    names = ("sid", "campaign_id", "day")
    return pa.table({n: pa.array(c, k) for n, c, k in zip(names, zip(*redeemed, strict=True), kinds, strict=True)})


def with_coupons(table: pa.Table, *cents: int) -> pa.Table:
    at = table.schema.get_field_index("coupon_discount_cents")
    return table.set_column(at, "coupon_discount_cents", pa.array(cents, pa.int64()))


@pytest.fixture(scope="module")
def told() -> dict[tuple[str, int], dict]:
    """By household and campaign; the horizon of campaign 3 ends before day 118, which is known."""
    lines = with_coupons(shopped((A, 10, 1), (A, 50, 1), (B, 20, 1), (A, 95, 1)), 0, 100, 0, 100)
    days = campaign_days(campaigns(), first=1, known_until=119)
    grid = GRID.model_copy(update={"first_cutoff": 40, "last_cutoff": 90, "step_days": 10})
    allowed = permissions([A, B], grid)
    engine = engine_with(lines, allowed=allowed)
    for name, table in {"campaigns": campaigns(), "redemptions": redemptions()}.items():
        engine.register(name, table)
    rows = tell(engine, GRID, Horizons(days, 28, 119), decay_days=MEMORIES, oldest_age=119)
    return {(r["sid"], r["campaign_id"]): r for r in rows.to_pylist()}


def test_history_counts_what_was_known_the_evening_before(told):
    assert (told[A, 1]["received"], told[A, 1]["redeemed"]) == (0, 0)
    # two coupons of one campaign are one answer
    assert (told[A, 2]["received"], told[A, 2]["redeemed"]) == (1, 1)
    assert (told[A, 3]["received"], told[A, 3]["redeemed"]) == (2, 2)
    assert (told[B, 3]["received"], told[B, 3]["redeemed"]) == (1, 0)


def test_an_answer_counts_within_the_horizon_and_not_after_it(told):
    assert told[A, 1]["responded"]
    assert not told[A, 2]["responded"]  # on day 89, the 30th
    assert told[B, 3]["responded"]  # on the first day
    assert not told[A, 3]["responded"]  # on day 118, the 29th


def test_baskets_with_a_coupon_are_counted_and_decayed(told):
    assert (told[A, 1]["coupon_baskets"], told[A, 1]["coupon_baskets_slow"]) == (0, 0)
    assert told[A, 3]["coupon_baskets"] == 1  # that of day 95 came later
    assert told[A, 3]["coupon_baskets_slow"] == round(1e6 * math.exp(-40 / 90))
    assert told[A, 3]["baskets_total"] == 2


def test_while_a_horizon_is_open_nothing_is_said_of_the_answer():
    engine = engine_with(shopped((A, 10, 1)), allowed=permissions([A], GRID.model_copy(update={"first_cutoff": 90})))
    engine.register("campaigns", campaigns())
    engine.register("redemptions", redemptions())
    engine.register("permissions", permissions([A], GRID.model_copy(update={"first_cutoff": 90, "last_cutoff": 90})))
    rows = tell(engine, GRID, Horizons((90,), 28, 117), decay_days=MEMORIES, oldest_age=117).to_pylist()
    assert [r["responded"] for r in rows] == [None]


@pytest.fixture(scope="module")
def rows():
    return receipts()


def head(past: CouponRows):
    return fit_coupons(past, pace_days=GRID.decay_days, penalty_c=0.1, horizon_days=28)


def test_only_campaigns_that_were_over_are_learned_from(rows):
    past = rows.known_at(120, horizon_days=28)
    assert set(past.campaign.tolist()) == {0, 1}
    answers = rows.table["responded"].to_pylist()
    late = rows.cutoff + 28 > 120
    turned = [None if a is None else bool(a) != bool(is_late) for a, is_late in zip(answers, late, strict=True)]
    at = rows.table.schema.get_field_index("responded")
    other = replace(rows, table=rows.table.set_column(at, "responded", pa.array(turned, pa.bool_())))
    texts = [to_text(Preferences(coupons=head(r.known_at(120, horizon_days=28)))) for r in (rows, other)]
    assert texts[0] == texts[1]
    assert to_text(Preferences(coupons=head(other.all_closed()))) != to_text(
        Preferences(coupons=head(rows.all_closed()))
    )


def test_who_did_not_allow_training_that_day_is_not_learned_from(rows):
    sid = rows.table["sid"][0].as_py()
    may = [
        not (s == sid and c == 120)
        for s, c in zip(*(rows.consent[n].to_pylist() for n in ("sid", "cutoff")), strict=True)
    ]
    asked = replace(rows, consent=rows.consent.set_column(2, "may_train", pa.array(may)))
    assert sid not in asked.known_at(120, horizon_days=28).table["sid"].to_pylist()
    assert sid in asked.known_at(90, horizon_days=28).table["sid"].to_pylist()


@pytest.mark.parametrize("flag", ["may_score", "may_offer"])
def test_who_did_not_allow_scoring_or_offers_on_the_first_day_is_not_scored(rows, flag):
    refused = rows.table["sid"][0].as_py()
    at = rows.table.schema.get_field_index(flag)
    allowed = pa.array([s != refused for s in rows.table["sid"].to_pylist()])
    asked = replace(rows, table=rows.table.set_column(at, flag, allowed))
    scored = asked.scored_at(120).table["sid"].to_pylist()
    assert refused not in scored
    assert len(scored) == 149


def test_the_head_finds_the_keen_ones_and_beats_the_base_rate(rows):
    past, now = rows.known_at(120, horizon_days=28), rows.scored_at(120)
    chance = head(past).predict(now)
    keen = np.array([int(s, 16) % 5 == 0 for s in now.table["sid"].to_pylist()])
    assert chance[keen].min() > chance[~keen].mean()
    assert len(set(baselines.base_rate(past, now).tolist())) == 1  # one type on one day: one rate
    assert baselines.beta_binomial(past, now)[keen].mean() > baselines.beta_binomial(past, now)[~keen].mean()
    for other in (baselines.rfm(past, now, penalty_c=0.1), baselines.trees_on_coupons(head(past), past, now)):
        assert ((other > 0) & (other < 1)).all()


def test_a_base_rate_is_the_share_of_the_type_and_of_all_for_a_new_type(rows):
    past = rows.known_at(150, horizon_days=28)
    other = pa.array(["C"] * len(rows.scored_at(120)))
    now = rows.scored_at(120)
    at = now.table.schema.get_field_index("campaign_type")
    unseen = replace(now, table=now.table.set_column(at, "campaign_type", other))
    everybody = (past.responded.sum() + 0.5) / (len(past) + 1)
    assert baselines.base_rate(past, unseen) == pytest.approx(np.full(len(unseen), everybody))


def test_the_prior_of_answering_is_tight_when_all_are_alike_and_wide_when_some_always_answer():
    def of(redeemed: list[int], received: int) -> Answering:
        table = pa.table({"sid": [f"{i:032x}" for i in range(len(redeemed))], "received": [received] * len(redeemed),
                          "redeemed": redeemed})  # fmt: skip
        return fit_answering(CouponRows(table, table))

    rng = np.random.default_rng(1)
    alike, apart = of(rng.binomial(10, 0.3, 400).tolist(), 10), of([10] * 120 + [0] * 280, 10)
    assert alike.answered / (alike.answered + alike.ignored) == pytest.approx(0.3, abs=0.03)
    assert apart.answered / (apart.answered + apart.ignored) == pytest.approx(0.3, abs=1e-5)
    assert alike.answered + alike.ignored > 20
    assert apart.answered + apart.ignored < 1
    assert of([0, 0], 3) == Answering(0.5, 9.5)
    # by hand: 1 answered of 2 with a prior of 1 and 3 is 2 of 6
    assert Answering(1.0, 3.0).rate(np.array([1]), np.array([2]))[0] == pytest.approx(1 / 3)


def test_a_campaign_type_never_seen_has_no_term(rows):
    model = head(rows.all_closed())
    assert model.kinds == ("B",)
    assert len(model.head.weights) == len(term_names(model.kinds))
    assert term_names(model.kinds)[-len(HISTORY) :] == HISTORY
    x = replace(model, kinds=("C",)).terms(rows)
    assert not x[:, 0].any()


def test_too_few_answers_are_told(rows):
    with pytest.raises(DataError, match="answers"):
        enough(rows.where(rows.responded == 0))


def test_the_file_keeps_the_head_and_refuses_bent_ones(rows):
    model = head(rows.all_closed())
    text = to_text(Preferences(coupons=model))
    assert from_text(text).coupons == model
    assert not any(sid in text for sid in rows.table["sid"].to_pylist())
    for change in (
        lambda c: c.update(kinds=["A"]),
        lambda c: c.update(kinds="B"),
        lambda c: c["answering"].update(answered=0),
        lambda c: c["terms"].pop(),
        lambda c: c["terms"][0].update(weight=None),
        lambda c: c.update(intercept=float(10**10)),
    ):
        raw = json.loads(text)
        change(raw["coupons"])
        with pytest.raises(IntegrityError):
            from_text(json.dumps(raw))


def test_rows_are_read_in_an_order_of_their_own(rows):
    mixed = rows.table.take(pa.array(np.random.default_rng(1).permutation(len(rows))))
    assert coupon_rows(mixed, rows.consent).table.equals(rows.table)


@pytest.fixture(scope="module")
def measured():
    rng = np.random.default_rng(7)
    answered = (rng.random(300) < 0.2).astype(float)
    scores = {"twin": answered + rng.random(300), "type": np.full(300, 0.2), "rfm": rng.random(300)}
    scored = ScoredCampaigns(np.repeat([1, 2], [290, 10]), np.arange(300) % 100, answered, scores)
    draws = np.vstack([np.ones((1, 100), int), rng.multinomial(100, [0.01] * 100, 80)])
    return scored, {m.name: m for m in measure_coupons(scored, draws, seed=1, top=0.2)}


def test_a_rate_that_is_the_same_for_all_has_an_auc_of_one_half_and_captures_its_share(measured):
    _, measures = measured
    assert measures["coupon_auc.type"].value == pytest.approx(0.5)
    assert measures["coupon_capture_at_20.type"].value == pytest.approx(0.2)
    assert measures["coupon_auc.gain_over_type"].excludes_zero


def test_every_measure_says_that_it_is_response_and_not_uplift(measured):
    scored, measures = measured
    assert all(RESPONSE in m.method for m in measures.values())
    assert "response, not uplift" in tastes_conclusion(Findings(tuple(measures.values())))
    assert any(f.value == RESPONSE for f in coupon_facts(scored))


def test_campaigns_with_few_answers_hide_their_counts(measured):
    scored, _ = measured
    small = next(c for c in coupon_facts(scored)[0].value if c["campaign"] == 2)
    assert (small["received"], small["redeemed"], small["not"]) == (None, None, None)
