"""Every room of evaluation with nobody in it: no crash, no figure of nothing, and a sentence that says so."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shoppers import GRID, crowd, examples_of
from supplying import DAYS

from twinops.data.linkage.resolve import JoiningRules
from twinops.data.own_sources.people.assessed import assessable, columns_held
from twinops.entities.demographics import CODES, order_of
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.wording import Wording
from twinops.evaluation.canvas import save
from twinops.evaluation.drift.measures import measure_drift, windows
from twinops.evaluation.fairness.decision import Candidates, RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed, Decision
from twinops.evaluation.fairness.family import Crowd, family
from twinops.evaluation.fairness.groups import HELD, assessed, groupings, held
from twinops.evaluation.fairness.measures import assess
from twinops.evaluation.influence import measures as influence
from twinops.evaluation.influence.findings import MeasuredInfluence, Pressure, influence_findings, influence_sentence
from twinops.evaluation.influence.picture import influence_picture
from twinops.evaluation.linkage.picture import bands_picture
from twinops.evaluation.necessity.picture import attributes_picture, sources_picture
from twinops.evaluation.necessity.revealed import Behaviour, measure_revealed, revealed_measures, traits_of
from twinops.evaluation.necessity.rows import attribute_columns
from twinops.evaluation.privacy.carried import Carried, carried_findings
from twinops.evaluation.privacy.conclusions import privacy_conclusion
from twinops.evaluation.privacy.membership import membership_findings, unattacked
from twinops.evaluation.privacy.membership_picture import membership_picture
from twinops.evaluation.privacy.reidentification import Tables, attacks, risk_findings
from twinops.evaluation.privacy.reidentification_picture import reidentification_picture
from twinops.evaluation.quality.measures import Source, absent_sources, by_month, empty_shares, measures, newest
from twinops.evaluation.scorecard.newcomers import newcomer_measures, tell_newcomers
from twinops.evaluation.scorecard.newcomers_picture import newcomers_picture
from twinops.evaluation.statistics import bootstrap
from twinops.evaluation.tastes.categories import TWIN, ScoredTastes, newly_tried
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import MinimisationParams, TrainParams
from twinops.twin.support.newcomers import newcomers

NOBODY = pa.table({"sid": pa.array([], pa.string()), "age": pa.array([], pa.string())})
FOREIGN = pa.table(
    {
        "sid": [f"s{i}" for i in range(8)],
        "age": ["18-24", "25-39", "40+", None, "18-24", "40+", "25-39", "18-24"],
        "gender": ["w", "m", "w", "d", None, "w", "m", "w"],
        "income": pa.nulls(8, pa.string()),
    }
)
RULE = MinimisationParams(shuffles=2, draws=50)
WORDS = Wording("member", "members", "EUR")


def people(n: int, *, assessable: bool = True, seed: int = 1) -> RankedHouseholds:
    rng = np.random.default_rng(seed)
    score, sids = rng.random(n), np.array([f"s{i}" for i in range(n)], dtype=str)
    offered, spend = score > 0.5, np.arange(n, dtype=np.int64)
    known = np.full(n, assessable)
    return RankedHouseholds(sids, score, offered, offered, offered, score, spend, known)


def rule(attributes: dict, *deciding: str) -> Assessed:
    return Assessed(attributes, deciding, 0.8, 0.05)


# ---- groups, from whatever is held


def test_a_foreign_shop_s_columns_are_its_attributes_with_the_order_they_have():
    assert held(FOREIGN) == {"age": ("18-24", "25-39", "40+"), "gender": None}
    assert held(NOBODY) == {}
    assert assessed(FOREIGN, {}) == held(FOREIGN)
    assert assessed(FOREIGN, {"gender": ("d", "m", "w"), "shoe_size": None}) == {"gender": ("d", "m", "w")}
    assert assessed(FOREIGN, {"gender": None}, ("age", "income")) == {"age": ("18-24", "25-39", "40+"), "gender": None}


@given(st.permutations([*CODES["income"]]), st.permutations(["red", "green", "blue"]))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_an_order_hangs_on_the_levels_and_not_on_how_they_come(income, colours):
    assert order_of("income", income[:5]) == CODES["income"]
    assert order_of("household_comp", CODES["household_comp"]) is None
    assert order_of("colour", colours) is None
    assert order_of("colour", []) is None


def test_a_new_policy_names_what_is_declared_and_no_demo_level():
    assert columns_held() == tuple(sorted(CODES))
    assert set(assessable(NOTHING_OWN).groups) == {
        "old_age", "young_adults", "low_income", "one_adult_with_children"
    }  # fmt: skip
    none = assessable(OwnParams.model_construct(root={"shop": _Declared("transactions")}))
    assert none.attributes == ("age",)
    assert set(none.groups) == {"old_age"}


class _Declared:
    """As little of a declaration as is asked of it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


@pytest.mark.parametrize("n", [0, 1, 12])
@pytest.mark.parametrize("assessable_", [True, False])
def test_nobody_one_and_a_few_are_assessed_without_a_crash(n, assessable_):
    everyone = people(n, assessable=assessable_)
    among = everyone.only(everyone.assessable)
    for table in (NOBODY, FOREIGN):
        asked = rule(assessed(table, {}), "age")
        grouped = groupings(among, table, asked)
        draws = bootstrap.counts(len(among), draws=50, seed=1) if len(among) else np.zeros((51, 0), int)
        found = assess(among, grouped, asked, draws=draws)
        assert {c.attribute for c in found} == {HELD, *asked.attributes}


def test_an_attribute_of_one_level_compares_with_nothing():
    alike = FOREIGN.set_column(2, "gender", pa.array(["w"] * 8))
    grouped = groupings(people(8), alike, rule(assessed(alike, {"gender": None}), "gender"))
    gender = next(g for g in grouped if g.attribute == "gender")
    assert len(gender.groups) <= 1


def test_no_decision_is_compared_where_nobody_may_be_reached():
    rows = {name: pa.array([], kind) for name, kind in (("sid", pa.string()), ("spend_cents", pa.int64()))}
    flags = {name: pa.array([], pa.bool_()) for name in ("may_offer", "may_assess_bias")}
    scores = {n: pa.array([], pa.float64()) for n in ("active_probability", "expected_spend", "expected_baskets")}
    nobody = Candidates(pa.table({**rows, **flags, **scores}), 337)
    draws = np.zeros((51, 0))
    crowd_ = Crowd(nobody, (), {}, (), rule({}, "age"), draws, 1)
    assert family(Decision("offer", "expected_spend", 0.2), crowd_) == ()


# ---- influence


def test_nobody_is_offered_anything_and_it_is_said(tmp_path):
    empty = people(0)
    sent = influence.contacts(pa.table({"sid": pa.array([], pa.string()), "start_day": pa.array([], pa.int64())}),
                              empty.sids, until=337)  # fmt: skip
    chosen = influence.proposed(empty, np.zeros(0, dtype=bool))
    who = influence.members(NOBODY, empty.sids, {"age": ("65+",)})
    assert (
        influence.choice(influence.Candidates(chosen, sent.within(0, 337), empty.priority), who, draws=50, seed=1)
        is None
    )
    assert influence.mean(np.zeros(0), draws=50, seed=1) is None
    assert influence.share(np.zeros(0), np.zeros(0), draws=50, seed=1) is None
    pressure = Pressure(2, 28, 0, {}, None, None, 0, {"under_age": 0}, None, 0)
    found = MeasuredInfluence(337, 0, pressure, {}, {"old_age": {"age": ("65+",)}}, {"old_age": None}, 1)
    told = influence_findings(found)
    assert {m.name: m.n for m in told.measures} == {"influence_against_guard": 0}
    assert "no campaign" in influence_sentence(found)
    save(influence_picture(found, most=1.25), tmp_path / "influence.png", WORDS)


# ---- necessity


def test_what_is_asked_of_traits_follows_the_profiles_that_are_held(tmp_path):
    assert set(traits_of(FOREIGN)) == {"age_upper", "gender_most"}
    assert "25-39 or more" in traits_of(FOREIGN)["age_upper"][1]
    assert traits_of(NOBODY) == {}
    columns = attribute_columns(FOREIGN, FOREIGN["sid"].to_pylist())
    assert set(columns) == {"age", "gender"}
    assert attribute_columns(NOBODY, []) == {}
    rng = np.random.default_rng(1)
    many = pa.table({"sid": [f"s{i}" for i in range(300)], "gender": rng.choice(["w", "m"], 300).tolist()})
    behaviour = Behaviour(None, rng.normal(size=(300, 3)), rng.random(300))
    told = revealed_measures(measure_revealed(behaviour, many, RULE), RULE, day=337)
    assert {m.name for m in told} >= {"revealed.gender_most"}
    nothing = {"tests": [], "margin_spend": 1.0, "margin_auc": 0.002, "shuffles": 1}
    for measured in ((), tuple(told)):
        findings = Findings(measured, (Fact("necessity", nothing, Kind.MEASURED, "made up"),))
        save(attributes_picture(findings), tmp_path / "a.png", WORDS)
        save(sources_picture(findings), tmp_path / "s.png", WORDS)


# ---- privacy


def test_a_table_that_cannot_be_made_is_not_attacked_and_the_other_keeps_its_name(tmp_path):
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 4, (40, 5)).astype(float)
    some = attacks(Tables(rows[:20], rows[20:], rows[:20], (4,) * 5, 0), tries=30, seed=1)
    assert attacks(Tables(rows[:5], rows[20:], rows[:5], (4,) * 5, 0), tries=30, seed=1) == ()
    risks = {"generalised": (), "blended": some}
    told = risk_findings(risks, dict.fromkeys(risks, "made up"), seed=1)
    assert all(m.name.endswith(".blended") for m in told.measures), "what never leaves is not told as what may"
    assert "no such table" in privacy_conclusion(told, risks)
    for shown in (risks, {"generalised": (), "blended": ()}):
        save(reidentification_picture(shown, n=5), tmp_path / "r.png", WORDS)


def test_a_model_that_nobody_could_attack_is_not_said_to_be_safe(tmp_path):
    why = unattacked({"activity": "30 households are too few"})
    told = membership_findings({}, draws=50, seed=1, source="made up") + why
    assert told.measures == ()
    assert "nothing is said of its safety" in privacy_conclusion(told, {"generalised": ()})
    save(membership_picture({}, told), tmp_path / "m.png", WORDS)
    grown = carried_findings(Carried(0, 0, np.array([0.1, 0.2, 0.1, 0.2])), source="made up", seed=1)
    assert [m.name for m in grown.measures] == ["carried_growth"]


# ---- scorecard, tastes, drift, linkage, quality


@pytest.mark.parametrize("households", [40, 120])
def test_ranges_of_newcomers_are_told_only_where_enough_are_there_to_learn_from(tmp_path, households):
    known = examples_of(crowd(households)).all_closed()
    who = newcomers({}, known_until=200, oldest=0, quiet=28)
    told = newcomer_measures(tell_newcomers(known, who, GRID, TrainParams(activity_c=0.2, spend_alpha=0.01)))
    assert not [m for m in told if ".established" not in m.name]
    save(newcomers_picture(Findings(told)), tmp_path / "n.png", WORDS)


def test_nobody_newly_tries_anything():
    nobody = ScoredTastes(253, np.zeros(0, int), np.zeros((0, 2)), np.zeros((0, 2), bool), {TWIN: np.zeros((0, 2))})
    assert newly_tried([nobody], ("bread", "milk")) == ()
    assert newly_tried([], ()) == ()


def test_no_window_no_drift():
    panel = pa.table({"sid": pa.array([], pa.string()), "cutoff": pa.array([], pa.int64()),
                      "may_score": pa.array([], pa.bool_()), "baskets_h1": pa.array([], pa.float64())})  # fmt: skip
    found = measure_drift(windows(panel, ("baskets_h1",), reference=309, current=337), draws=50, seed=1)
    assert found.share is None
    assert "fewer than" in found.why_not


def test_no_pair_of_records_has_a_picture_of_its_own(tmp_path):
    rules = JoiningRules(merge_at=0.99, review_from=0.5, most_records=8)
    save(bands_picture(np.zeros(0), rules=rules, contradicted=0), tmp_path / "b.png", WORDS)


def test_a_source_is_absent_only_where_its_counts_say_why_and_nothing_was_read():
    off, undeclared = ({"read": 0, "off": o, "undeclared": not o} for o in (True, False))
    empty, refused = {"read": 0, "off": False, "undeclared": False}, {"read": 9, "off": True, "undeclared": True}
    counts = {"crm": [off], "panelists": [undeclared], "demographics": [empty], "campaigns": [refused],
              "transactions": [undeclared, refused], "social_posts": [off, empty], "choices": []}  # fmt: skip
    found = {f.name: f.value["why"] for f in absent_sources(counts)}
    assert set(found) == {"source_absent.crm", "source_absent.panelists"}
    assert "off" in found["source_absent.crm"]
    assert "declared" in found["source_absent.panelists"]


def test_a_source_without_a_row_has_no_quality():
    rows = pa.table({"sid": pa.array([], pa.string()), "day": pa.array([], pa.int64())})
    source = Source("shop", (), rows, ("sid",), "day", 730, synthetic=False)
    assert by_month(source, DAYS) == {}
    assert measures(source, {}, 365) == ()
    assert empty_shares(source) == {}
    assert newest(source, 365) == {"batches": 0, "newest_age_days": None}
