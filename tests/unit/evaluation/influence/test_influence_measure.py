"""Contact pressure and whom the choice falls on: near one where nothing is planted, found where it is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from governed import candidate, fact, measure, shipped_policy, text, without
from supplying import DAYS

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.consent.ages import FullAge
from twinops.data.vault.seal import write_sealed
from twinops.entities.evidence import Evidence
from twinops.evaluation.fairness.decision import RankedHouseholds, selected
from twinops.evaluation.influence import measures as found_in
from twinops.evaluation.influence.findings import (
    MeasuredInfluence,
    Pressure,
    influence_findings,
    influence_sentence,
)
from twinops.evaluation.influence.measures import (
    Candidates,
    Hits,
    Members,
    PastContacts,
    choice,
    contacts,
    members,
    proposed,
    rate_ratio,
)
from twinops.evaluation.influence.picture import influence_picture
from twinops.evaluation.statistics.estimate import Estimate
from twinops.governance.gates import influence
from twinops.params import AgesParams, FairnessParams
from twinops.workflows.pipeline.influence import influence as run
from twinops.workflows.places import Places

LIMITS = {g.id: g for g in shipped_policy().gates}["influence"].checked_limits()


def town(pull: float, *, n: int = 4000, seed: int = 0) -> tuple[RankedHouseholds, np.ndarray]:
    """Households of whom one in ten is of the group; features stand in for it by `pull` standard deviations."""
    rng = np.random.default_rng(seed)
    group = rng.random(n) < 0.1
    score = rng.normal(size=n) + pull * group
    sids = np.array([f"{i:032x}" for i in range(n)])
    offered = selected(score, sids, share=0.2)
    cents, yes = np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool)
    return RankedHouseholds(sids, score, offered, offered, yes, score, cents, yes), group


def looked_at(people: RankedHouseholds, group: np.ndarray, chosen: np.ndarray | None = None):
    known, had = np.ones(len(people), dtype=bool), np.ones(len(people), dtype=int)
    picked = people.offered if chosen is None else chosen
    candidates = Candidates(picked, had, people.expected_spend)
    return choice(candidates, Members(group, known), draws=100, seed=1)


def test_where_nothing_stands_in_for_the_group_it_reads_near_one() -> None:
    found = [looked_at(*town(0.0, seed=s)) for s in range(40)]
    assert np.mean([c.ratio[0] for c in found]) == pytest.approx(1, abs=0.03)
    assert np.mean([c.auc for c in found]) == pytest.approx(0.5, abs=0.01)
    assert np.mean([c.ratio[1] <= 1 <= c.ratio[2] for c in found]) >= 0.9
    assert all(c.ratio[1] < 1.25 for c in found), "a false alarm"
    assert np.mean([c.by_lot[0] <= c.ratio[0] <= c.by_lot[1] for c in found]) >= 0.85


def test_a_stand_in_for_the_group_is_found() -> None:
    for seed in range(10):
        c = looked_at(*town(0.8, seed=seed))
        assert c.ratio[1] > 1.25
        assert c.ratio[0] > c.by_lot[1]
        assert c.auc > 0.65
        assert c.past[0] == pytest.approx(1)


def test_a_group_that_is_chosen_less_often_reads_below_one() -> None:
    assert looked_at(*town(-0.8)).ratio[2] < 1


def test_a_ratio_is_computed_by_hand_and_a_share_of_nothing_keeps_its_doubt() -> None:
    assert rate_ratio(Hits(30, 100), Hits(20, 200))[0] == pytest.approx(3.0)
    none = rate_ratio(Hits(0, 30), Hits(100, 500))
    assert none[0] == 0
    assert 0.2 < none[2] < 2


def test_a_group_too_small_to_show_is_not_measured() -> None:
    people, group = town(0.0)
    few = np.zeros(len(people), dtype=bool)
    few[np.flatnonzero(group)[:9]] = True
    assert looked_at(people, few) is None


def test_contacts_in_the_window_and_on_top_of_the_cap_are_counted_by_hand() -> None:
    sids = np.array(["a", "b", "c"])
    sent = pa.table({"sid": ["a", "a", "a", "b", "z", "a"], "start_day": [10, 20, 30, 30, 30, 99]})
    known = contacts(sent, sids, until=40)
    assert known.within(12, 40).tolist() == [2, 1, 0]
    assert known.on_top(cap=2, window_days=28).tolist() == [1, 0, 0]
    assert known.on_top(cap=1, window_days=10).tolist() == [2, 0, 0]
    assert known.on_top(cap=1, window_days=9).tolist() == [0, 0, 0]


def test_days_before_the_first_and_empty_files_are_counted_too() -> None:
    assert PastContacts(np.array([0, 0, 1]), np.array([-48, -40, -40]), 2).on_top(cap=1, window_days=28).tolist() == [
        1,
        0,
    ]
    nothing = contacts(pa.table({"sid": pa.array([], pa.string()), "start_day": pa.array([], pa.int64())}),
                       np.array(["a"]), until=9)  # fmt: skip
    assert nothing.on_top(cap=2, window_days=28).tolist() == [0]
    assert found_in.share(np.zeros(1), np.zeros(1), draws=60, seed=1) is None


def test_pressure_that_is_planted_is_found_and_none_where_there_is_none() -> None:
    n, rng = 500, np.random.default_rng(1)
    calm = PastContacts(np.arange(n), rng.integers(0, 300, n), n)
    assert calm.on_top(cap=2, window_days=28).sum() == 0
    pressed = PastContacts(np.concatenate([np.arange(n), np.repeat(np.arange(50), 4)]),
                       np.concatenate([calm.day, np.tile([301, 305, 309, 313], 50)]), n)  # fmt: skip
    value, low, high = found_in.share(pressed.on_top(cap=2, window_days=28),
                                      np.bincount(pressed.household, minlength=n), draws=200, seed=1)  # fmt: skip
    assert value >= 100 / 700
    assert 0 < low < value < high


def test_who_is_not_free_is_passed_over_and_the_next_best_moves_up() -> None:
    sids = np.array(["a", "b", "c", "d", "e"])
    score = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    offered = selected(score, sids, share=0.4)
    yes, cents = np.ones(5, dtype=bool), np.zeros(5, dtype=np.int64)
    people = RankedHouseholds(sids, score, offered, offered, yes, score, cents, yes)
    assert proposed(people, np.array([True, False, True, True, True])).tolist() == [True, False, True, False, False]
    assert proposed(people, np.zeros(5, dtype=bool)).sum() == 0


def test_members_need_every_attribute_and_nobody_is_guessed() -> None:
    table = pa.table(
        {"sid": ["a", "b", "c"], "age": ["65+", "65+", None], "income": ["Under 15K", "250K+", "Under 15K"]}
    )
    found = members(table, np.array(["a", "b", "c", "d"]), {"age": ("65+",), "income": ("Under 15K",)})
    assert found.inside.tolist() == [True, False, False, False]
    assert found.known.tolist() == [True, True, False, False]
    assert not members(table, np.array(["a"]), {"shoe_size": ("44",)}).known.any()


def influence_of(chosen: dict, *, against: int = 0) -> MeasuredInfluence:
    pressure = Pressure(2, 28, 500, {"0": 480, "1": 17, "2 or more": 3}, Estimate(0.1, 0.08, 0.12), None, 100,
                        {"contact_pressure": 3, "under_age": 0}, Estimate(0.03, 0.01, 0.08), against)  # fmt: skip
    return MeasuredInfluence(
        337, 300, pressure, {"under_age": True, "open_complaint": False}, LIMITS.groups, chosen, 11
    )


def test_findings_hide_small_counts_and_leave_out_what_could_not_be_measured() -> None:
    people, group = town(0.0)
    found = influence_of({"old_age": looked_at(people, group), "low_income": None})
    told = influence_findings(found)
    names = {m.name for m in told.measures}
    assert "influence_ratio.old_age" in names
    assert "influence_ratio.low_income" not in names
    pressure = next(f.value for f in told.facts if f.name == "influence_pressure")
    assert pressure["households_by_contacts"]["2 or more"] is None
    assert pressure["refused_by_reason"] == {"contact_pressure": None, "under_age": 0}
    assert "no past contact" in influence_sentence(found).lower()
    assert influence_picture(found, most=1.25).axes
    assert influence_picture(influence_of({}), most=1.25).get_suptitle()


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [((0.9, 0.7, 1.2), "passed"), ((1.1, 0.8, 1.4), "inconclusive"), ((1.6, 1.3, 2.0), "failed")],
)
def test_the_gate_judges_the_end_that_hurts(ends: tuple, outcome: str) -> None:
    evidence = candidate(measures=(measure("influence_ratio.low_income", *ends, n=539),))
    verdict = influence.check(evidence, LIMITS)
    assert verdict.outcome.value == outcome
    if outcome != "passed":
        assert "low income" in verdict.sentence


def test_one_offer_against_the_guard_fails() -> None:
    verdict = influence.check(candidate(measures=(measure("influence_against_guard", 1, n=334),)), LIMITS)
    assert verdict.outcome.value == "failed"


def test_other_groups_than_the_policy_names_are_no_evidence() -> None:
    groups = {"old_age": {"age": ["55-64"]}}
    assert influence.check(candidate(fact("influence_groups", groups)), LIMITS).outcome.value == "missing"


@pytest.mark.parametrize("name", influence.needs(LIMITS))
def test_without_any_one_piece_it_is_missing(name: str) -> None:
    assert influence.check(without(candidate(), name), LIMITS).outcome.value == "missing"


@pytest.mark.parametrize("pull", [0.0, 1.5])
def test_the_workflow_proposes_within_the_guard_and_measures_whom_it_falls_on(tmp_path: Path, pull: float) -> None:
    keys, n, rng = MemoryKeys(), 400, np.random.default_rng(4)
    places = Places(tmp_path)
    places.compliance.mkdir()
    for name in ("policy.yaml", "intended_use.yaml"):
        places.compliance.joinpath(name).write_text(text(name), encoding="utf-8")
    sids = keys.subject_ids([str(i) for i in range(n)])
    poor = np.arange(n) % 4 == 0
    score = np.exp(rng.normal(size=n) + pull * poor)
    predictions = {
        "sid": sids, "cutoff": [337] * n, "may_offer": [True] * n, "may_assess_bias": [True] * n,
        "spend_cents": [100] * n, "expected_spend": score,
    }  # fmt: skip
    seal(places.predictions, "predictions", predictions, keys)
    best = [sids[i] for i in np.argsort(-score)[:10]]
    seal(places.raw("campaigns", "all"), "campaigns", {"sid": best * 2, "start_day": [320] * 10 + [330] * 10}, keys)
    told = {
        "sid": sids,
        "age": np.where(np.arange(n) % 5 == 0, "65+", np.where(np.arange(n) % 5 == 1, "19-24", "35-44")),
        "income": np.where(poor, "Under 15K", "50-74K"),
        "household_comp": np.where(np.arange(n) % 3 == 0, "1 Adult Kids", "2 Adults Kids"),
    }
    seal(places.raw("demographics", "all"), "demographics", told, keys)
    replay = FairnessParams(cutoff=337, draws=200, seed=1)
    done = run(places, keys=keys, replay=replay, full_age=FullAge(AgesParams(), DAYS))
    first = places.measures("influence").read_bytes()
    run(places, keys=keys, replay=replay, full_age=FullAge(AgesParams(), DAYS))
    assert places.measures("influence").read_bytes() == first
    found = {m.name: m for m in done.findings.measures}
    assert found["influence_refused.by_score"].value == pytest.approx(10 / 80)
    assert (found["influence_against_guard"].value, found["influence_against_guard"].n) == (0, 80)
    poor_now = found["influence_ratio.low_income"]
    assert poor_now.low > 1.25 if pull else poor_now.low < 1 < poor_now.high
    evidence = Evidence("twin", "a" * 64, date(2018, 1, 1), done.findings.measures, done.findings.facts)
    assert (influence.check(evidence, LIMITS).outcome.value == "failed") == bool(pull)
    assert not any(sid in first.decode() for sid in sids)


def seal(path: Path, dataset: str, columns: dict, keys: MemoryKeys) -> None:
    write_sealed(pa.table(columns), path, dataset=dataset, keys=keys, subject="sid")


def test_where_nobody_allows_offers_there_is_no_campaign_and_the_gate_says_so(tmp_path: Path) -> None:
    keys, sids = MemoryKeys(), MemoryKeys().subject_ids(["a", "b"])
    places = Places(tmp_path)
    places.compliance.mkdir()
    for name in ("policy.yaml", "intended_use.yaml"):
        places.compliance.joinpath(name).write_text(text(name), encoding="utf-8")
    predictions = {
        "sid": sids, "cutoff": [337] * 2, "may_offer": [False] * 2, "may_assess_bias": [True] * 2,
        "spend_cents": [100] * 2, "expected_spend": [1.0, 2.0],
    }  # fmt: skip
    seal(places.predictions, "predictions", predictions, keys)
    told = {"sid": sids, **{name: ["x"] * 2 for name in ("age", "income", "household_comp")}}
    seal(places.raw("demographics", "all"), "demographics", told, keys)
    done = run(
        places, keys=keys, replay=FairnessParams(cutoff=337, draws=200, seed=1), full_age=FullAge(AgesParams(), DAYS)
    )
    evidence = Evidence("twin", "a" * 64, date(2018, 1, 1), done.findings.measures, done.findings.facts)
    verdict = influence.check(evidence, LIMITS)
    assert verdict.outcome.value == "missing"
    assert "no offer" in verdict.sentence
    assert "no campaign" in done.found
