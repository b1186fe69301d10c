"""Necessity: what helps is told apart from what does not and what cannot be told; nobody decides but a person."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from governed import COMPLIANCE
from shoppers import GRID, crowd, examples_of, lines, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import write_sealed
from twinops.entities.fact import Fact
from twinops.entities.wording import MANY
from twinops.errors import DataError, ParamsError
from twinops.evaluation.necessity import measures as necessity
from twinops.evaluation.necessity.measures import ESTABLISHED, Gain, Necessity, Rows, Trial
from twinops.evaluation.necessity.retention import ATTRIBUTE, households_to_tell, proposal, proposal_fact
from twinops.evaluation.necessity.revealed import Behaviour, measure_revealed
from twinops.evaluation.necessity.rows import attribute_columns, established, recent_columns
from twinops.evaluation.necessity.tables import proposals_table
from twinops.evaluation.statistics.bootstrap import Resampled
from twinops.governance.law import retention
from twinops.params import EvaluateParams, MinimisationParams, SourcesParams
from twinops.twin.state.examples import Examples
from twinops.workflows.pipeline.features import features
from twinops.workflows.pipeline.minimise import minimise

RULE = MinimisationParams(learn_until=113, histories=(7,), shuffles=2, draws=50, seed=5)


def rows_of(households: int = 150, *, seed: int = 1) -> tuple[Rows, np.ndarray, np.ndarray]:
    """Five days of households whose spend hangs on a hidden trait; the trait, and one that says nothing."""
    rng = np.random.default_rng(seed)
    household = np.repeat(np.arange(households), 5)
    cutoff = np.tile(np.array([57, 71, 85, 141, 155]), households)
    trait, idle = rng.normal(size=(2, households))[:, household]
    spend = rng.gamma(8.0, 1 / 8, len(household)) * np.exp(4 + 0.6 * trait)
    nothing = np.zeros((len(household), 1))
    rows = Rows(lambda _: nothing, spend, (spend > 0) * 1.0, household, cutoff, cutoff < 100, cutoff > 100)
    return rows, trait[:, None], idle[:, None]


@pytest.fixture(scope="module")
def found() -> dict[str, necessity.TestedUnit]:
    rows, trait, idle = rows_of()
    made = necessity.tested(rows, {"trait": trait, "idle": idle}, RULE, Trial(ATTRIBUTE, ESTABLISHED))
    return {t.unit: t for t in made}


def test_what_the_outcome_hangs_on_is_necessary(found):
    assert found["trait"].outcome(RULE) is Necessity.NECESSARY
    assert found["trait"].spend.over_shuffled.interval("x")[0] > 0


def test_what_says_nothing_is_not_necessary(found):
    assert found["idle"].outcome(MinimisationParams(margin_spend=5.0)) is Necessity.NOT_NECESSARY
    assert found["idle"].spend.over_shuffled.interval("x")[0] < 0


def test_no_household_is_learned_from_and_judged_in_the_same_fold():
    rows, trait, _ = rows_of(60)
    seen = []

    def base(learn: np.ndarray) -> np.ndarray:
        seen.append(set(rows.household[learn].tolist()))
        return np.zeros((len(learn), 1))

    spied = Rows(base, rows.spend, rows.active, rows.household, rows.cutoff, rows.learn, rows.judge)
    necessity.tested(spied, {"trait": trait}, RULE, Trial(ATTRIBUTE, ESTABLISHED))
    everyone = set(rows.household.tolist())
    left_out = [everyone - s for s in seen]
    assert sorted(h for fold in left_out for h in fold) == sorted(everyone)


def gain(low: float, high: float, chance_low: float = 0.1) -> Gain:
    def between(a: float, b: float) -> Resampled:
        return Resampled(np.array([(a + b) / 2, *np.linspace(a, b, 1001)]))

    wide = (high - low) / 0.95 * 0.05 / 2
    return Gain(100.0, between(low - wide, high + wide), between(chance_low, chance_low + 1))


@pytest.mark.parametrize(
    ("low", "high", "chance_low", "outcome"),
    [
        (1.2, 3.0, 0.5, Necessity.NECESSARY),
        (1.2, 3.0, -0.5, Necessity.INCONCLUSIVE),
        (0.2, 3.0, 0.5, Necessity.INCONCLUSIVE),
        (0.2, 0.9, 0.5, Necessity.NOT_NECESSARY),
        (-3.0, -1.0, 0.5, Necessity.NOT_NECESSARY),
    ],
)
def test_the_outcome_is_decided_by_interval_margin_and_shuffled_control(low, high, chance_low, outcome):
    assert gain(low, high, chance_low).outcome(1.0) is outcome


# ---- rows


def test_a_newly_met_household_is_known_by_its_last_days_alone():
    told = lines(("a", 10, 1000), ("a", 55, 2000), ("a", 56, 3000), ("b", 40, 500))
    known = Examples(pa.table({"sid": ["a", "b"], "cutoff": [57, 57]}))
    recent = recent_columns(DuckDBEngine(threads=1), told, known, (0, 7, 30))
    assert recent[0].tolist() == [[0.0], [0.0]]
    # a: two baskets, 50 USD, the last one day ago; b: nothing in seven days
    assert recent[7][0] == pytest.approx([np.log(3), np.log(51), np.log(2), 1])
    assert recent[7][1] == pytest.approx([0, 0, np.log(9), 0])
    assert recent[30][1] == pytest.approx([np.log(2), np.log(6), np.log(18), 1])


def test_no_row_is_learned_from_whose_horizon_reaches_into_a_judged_one():
    known = examples_of(crowd(60))
    rows = established(known, GRID, learn_until=225, judged=(141,))
    assert sorted(set(known.cutoff[rows.learn].tolist())) == [57, 85, 113]
    assert set(known.cutoff[rows.judge].tolist()) == {141}
    with pytest.raises(DataError, match="no as-of day"):
        established(known, GRID, learn_until=40, judged=(141,))


def demographics(members: int) -> pa.Table:
    rng = np.random.default_rng(2)
    return pa.table(
        {
            "sid": [f"{n:032x}" for n in range(members)],
            "age": rng.choice(["19-24", "35-44", "65+"], members),
            "income": rng.choice(["Under 15K", "50-74K", "100-124K"], members),
            "home_ownership": pa.array([*rng.choice(["Homeowner", "Renter"], members - 1).tolist(), None]),
            "marital_status": rng.choice(["Married", "Unmarried"], members),
            "household_size": rng.choice(["1", "2", "5+"], members),
            "household_comp": rng.choice(["1 Adult Kids", "2 Adults No Kids"], members),
            "kids_count": rng.choice(["0", "1", "3+"], members),
        }
    )


def test_ordered_attributes_become_place_and_square_others_a_column_a_level():
    told = demographics(60)
    columns = attribute_columns(told, told["sid"].to_pylist())
    young = told["age"].to_pylist().index("19-24")
    old = told["age"].to_pylist().index("65+")
    assert columns["age"][young].tolist() == [-0.5, 0.25]
    assert columns["age"][old].tolist() == [0.5, 0.25]
    assert columns["home_ownership"].shape[1] == 3
    assert columns["home_ownership"][-1].tolist() == [0, 0, 1]


# ---- what behaviour gives away


def test_a_trait_that_shows_in_purchases_is_found_and_one_that_does_not_is_not():
    told = demographics(150)
    rng = np.random.default_rng(3)
    rich = np.array([i == "100-124K" for i in told["income"].to_pylist()])
    terms = rng.normal(size=(150, 4))
    categories = rng.poisson(5, (150, 6)).astype(float)
    categories[:, 2] += 20 * rich
    found = {r.trait: r for r in measure_revealed(Behaviour(categories, terms, rng.random(150)), told, RULE)}
    assert found["income_75k_or_more"].behaviour.value > 0.9
    assert abs(found["income_75k_or_more"].state.value - 0.5) < 0.15
    assert abs(found["married"].behaviour.value - 0.5) < 0.15
    assert abs(found["married"].shuffled - 0.5) < 0.1


# ---- the proposal, and who decides


def one(unit: str, days: int, found: Gain) -> necessity.TestedUnit:
    return necessity.TestedUnit(unit, ATTRIBUTE, days, 600, found)


def test_a_proposal_keeps_what_is_necessary_for_as_long_as_it_is_and_nothing_else():
    income = [
        one("income", ESTABLISHED, gain(-0.2, 0.3)),
        one("income", 7, gain(1.5, 4.0)),
        one("income", 28, gain(-0.5, 1.5)),
    ]
    assert "for newcomers only, until 28 days are known" in proposal(income, RULE)["text"]
    age = [one("age", ESTABLISHED, gain(-0.2, 0.3)), one("age", 7, gain(0.2, 2.0))]
    assert "doubt is no ground to hold it" in proposal(age, RULE)["text"]
    kids = [one("kids_count", ESTABLISHED, gain(-0.2, 0.3)), one("kids_count", 7, gain(-0.2, 0.4))]
    assert proposal(kids, RULE)["text"].startswith("Proposed: do not use kids count: the twin loses less")
    needed = [one("purchases", ESTABLISHED, gain(20, 30))]
    assert "hold purchases as long as" in proposal(needed, RULE)["text"]


def test_what_cannot_be_told_says_how_many_households_would_tell():
    # 1.5 [-0.5, 3.5] of 600 households: to have the low end above 1.0 the half of 2.0 must shrink to 0.5, by 16 times n
    open_yet = one("income", 7, gain(-0.5, 3.5))
    assert households_to_tell(open_yet, RULE) == pytest.approx(600 * 16, rel=0.05)
    assert f"What would tell: {MANY} that allow assessment" in proposal([open_yet], RULE)["text"]
    settled = one("income", 7, gain(2.0, 4.0))
    assert households_to_tell(settled, RULE) is None
    assert "What would tell" not in proposal([settled], RULE)["text"]


def test_the_shipped_decision_is_empty_and_stays_open_until_a_person_fills_it():
    text = (COMPLIANCE / "retention.yaml").read_text()
    shipped = retention.read(text)
    assert shipped.proposal is None
    assert all(part is None for d in shipped.decisions.values() for _, part in d)
    income = [one("income", ESTABLISHED, gain(-0.2, 0.3))]
    proposed = proposal_fact(income, RULE)
    assert retention.open_units(shipped, proposed) == ("income",)
    filled = text.replace("proposal: null", f"proposal: {proposed.id}").replace(
        "income: {accepted: null, reason: null, by: null, dated: null}",
        "income: {accepted: true, reason: not needed, by: Ada, dated: 2026-11-23}",
    )
    assert retention.open_units(retention.read(filled), proposed) == ()
    other = Fact("retention_proposal", {**proposed.value, "status": "changed"}, proposed.kind, proposed.source)
    assert retention.open_units(retention.read(filled), other) == ("income",)


@pytest.mark.parametrize("wrong", ["decisions: {}", "decisions: {age: {accepted: yes please}}", "proposal: 7"])
def test_a_mistake_in_the_decision_is_told(wrong):
    with pytest.raises(ParamsError, match=r"retention\.yaml"):
        retention.read(f'version: "1"\n{wrong}\n')


# ---- the whole stage


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    keys, engine = MemoryKeys(), DuckDBEngine(threads=1)
    places = sealed_project(tmp_path_factory.mktemp("less"), keys, crowd(110, days=170))
    supplied(features, places, engine=engine, keys=keys, grid=GRID, as_of=date(2017, 6, 20))
    told = demographics(90)
    _seal(places.raw("demographics", "all"), told.rename_columns({"sid": "household_id"}), "demographics", keys)
    ids = told["sid"].to_pylist()
    sent = pa.table({
        "household_id": ids, "campaign_id": [1] * 90, "campaign_type": ["Type A"] * 90,
        "start_day": list(range(90)), "end_day": [140] * 90,
    })  # fmt: skip
    used = pa.table({"household_id": ids[:40], "coupon_upc": [1] * 40, "campaign_id": [1] * 40, "day": [60] * 40})
    _seal(places.raw("campaigns", "all"), sent, "campaigns", keys)
    _seal(places.raw("redemptions", "all"), used, "redemptions", keys)
    _seal_derived(places, keys)
    return places, keys


def _seal(path, table, dataset, keys):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_sealed(table, path, dataset=dataset, keys=keys, subject="household_id")


def _seal_derived(places, keys):
    from twinops.data.vault.seal import read_sealed

    panel = read_sealed(places.panel, dataset="panel", keys=keys)
    day = panel.filter(pa.array(panel["cutoff"].to_numpy() == 141))
    n, m = day.num_rows, panel.num_rows
    scores = pa.table({"sid": day["sid"], "cutoff": day["cutoff"], "expected_spend": np.linspace(1, 90, n)})
    places.predictions.parent.mkdir(parents=True, exist_ok=True)
    write_sealed(scores, places.predictions, dataset="predictions", keys=keys, subject="sid")
    blend = {
        "sid": panel["sid"], "cutoff": panel["cutoff"], "crm_records": np.arange(m) % 2,
        "crm_has_email": np.arange(m) % 3 == 0, "crm_days_since_update": np.arange(m) % 50,
        "social_records": np.zeros(m, int), "social_events": np.zeros(m, int), "social_about_us": np.zeros(m, int),
        "net_sentiment": pa.nulls(m, pa.float64()), "care_cases": np.zeros(m, int), "care_open_cases": np.zeros(m, int),
    }  # fmt: skip
    places.blend.parent.mkdir(parents=True, exist_ok=True)
    write_sealed(pa.table(blend), places.blend, dataset="blend", keys=keys, subject="sid")


@pytest.fixture(scope="module")
def minimised(project):
    places, keys = project
    (places.root / "tables").mkdir()
    return supplied(
        minimise,
        places, engine=DuckDBEngine(threads=1), keys=keys, grid=GRID,
        held_out=EvaluateParams(cutoffs=(141,), draws=50, seed=7), rule=RULE,
        sources=SourcesParams(folder=str(places.root / "tables")),
    )  # fmt: skip


def test_every_attribute_and_source_is_tried_established_and_newly_met(project, minimised):
    names = {m.name for m in minimised.findings.measures}
    assert {"necessity.income", "necessity.income.new_7", "necessity.all_attributes"} <= names
    assert {"necessity.campaigns.auc", "necessity.purchases", "necessity.crm.new_7"} <= names
    # a source of which nothing is told of anyone is not tried
    assert not any("social" in n for n in names)
    outcomes = {t["unit"]: t["outcome"] for t in _fact(minimised, "necessity")["tests"] if t["history_days"] is None}
    assert outcomes["purchases"] == "necessary"
    for picture in ("necessity_attributes", "necessity_sources"):
        assert project[0].figure(picture).read_bytes().startswith(b"\x89PNG")


def test_the_proposal_is_only_proposed_and_names_the_purpose_attributes_were_looked_at_for(minimised):
    proposed = _fact(minimised, "retention_proposal")
    assert proposed["status"] == "proposed"
    assert proposed["decided_in"] == "compliance/retention.yaml"
    assert "all_attributes" not in {i["unit"] for i in proposed["items"]}
    assert all(i["text"].startswith("Proposed: ") for i in proposed["items"])
    assert _fact(minimised, "minimisation_purpose")["attributes"].startswith("bias_assessment")
    rows = proposals_table(minimised.findings).splitlines()
    assert len(rows) == 2 + len(proposed["items"])
    assert any(row.startswith("| income |") and row.endswith("|") and "use income" in row.lower() for row in rows)


def test_no_household_is_named_in_what_is_written(project, minimised):
    text = project[0].measures("minimise").read_text() + minimised.conclusion
    assert f"{7:032x}" not in text


def _fact(minimised, name):
    return next(f.value for f in minimised.findings.facts if f.name == name)
