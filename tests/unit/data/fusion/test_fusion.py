"""Panel fusion: inferred, with doubt and bounds, for segments only, and measured by hiding what is known."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.fusion import frechet_bounds, fusion, predictive_mean_matching
from twinops.data.fusion.panel_shift import shift
from twinops.data.fusion.plan import Plan, SegmentColumn, permitted
from twinops.data.fusion.predictive_mean_matching import Shared
from twinops.data.fusion.rubin import combined
from twinops.data.fusion.table import Figure, widened
from twinops.entities.consent import Purpose
from twinops.entities.wording import NEUTRAL
from twinops.errors import DataError, ParamsError
from twinops.evaluation.fusion import measures as measured
from twinops.evaluation.fusion.findings import as_facts, by_truth
from twinops.evaluation.fusion.picture import fusion_picture

AGES = ("young", "middle", "old")


@dataclass(frozen=True)
class Settings:
    draws: int = 10
    donors: int = 5
    smallest_cell: int = 10
    seed: int = 1


def people(n: int, seed: int, *, hidden_matters: float = 0.0) -> pa.Table:
    """Scales follow from age and spend, and by `hidden_matters` from a trait that donors are never asked."""
    rng = np.random.default_rng(seed)
    age, spend, trait = rng.integers(0, 3, n), rng.gamma(3, 40, n), rng.normal(size=n)
    calm = np.clip(np.rint(30 + 15 * age + 4 * np.log1p(spend) + 6 * rng.normal(size=n)), 0, 100)
    keen = np.clip(np.rint(50 + 12 * hidden_matters * trait + 10 * rng.normal(size=n)), 0, 100)
    return pa.table(
        {
            "sid": [f"{i:032x}" for i in range(n)],
            "age": [AGES[a] for a in age],
            "spend": spend,
            "calm": calm.astype(int),
            "keen": keen.astype(int),
            "trait": trait,
            "trait_half": np.where(trait > 0, "high", "low").tolist(),
        }
    )


PLAN = Plan(
    (Shared("age", AGES), Shared("spend")),
    ("calm", "keen"),
    (SegmentColumn("age", ("age",)), SegmentColumn("trait_half")),
    "Test Panel (synthetic)",
)


def fused(donors: pa.Table, recipients: pa.Table, *, plan: Plan = PLAN, threads: int = 1, **changes) -> list[dict]:
    return fusion.fuse(
        DuckDBEngine(threads=threads), donors, recipients, plan=plan, params=replace(Settings(), **changes)
    ).to_pylist()


def one(rows: list[dict], **wanted) -> dict:
    return next(r for r in rows if all(r[k] == v for k, v in wanted.items()))


def test_rubins_rules_by_hand():
    value, low, high = combined(np.array([10.0, 12.0]), np.array([1.0, 1.0]))
    assert value == 11
    total = 1 + 1.5 * 2  # within 1, between 2, (1 + 1/2) * 2 = 3
    freedom = (1 + 1 / 3) ** 2
    from scipy import stats

    assert high - value == pytest.approx(stats.t.ppf(0.975, freedom) * total**0.5)
    assert low == pytest.approx(2 * value - high)


def test_bounds_of_a_mean_by_hand():
    share, weight = np.array([0.5, 1.0]), np.array([4.0, 2.0])
    low, high = frechet_bounds.mean_within(share, weight, [np.array([0.0, 0.0, 10.0, 20.0]), np.array([6.0])])
    assert (low, high) == (3.0, 10.5)  # the halves of cell one are 0 or 15, cell two is 6: two members each


def test_segments_that_follow_from_what_was_matched_on_are_met():
    donors, ours = people(1_500, 1), people(1_000, 2)
    rows = fused(donors, ours)
    for age in AGES:
        found = one(rows, variable="age", segment=age, scale="calm", figure="mean")
        true = np.mean([r["calm"] for r in ours.to_pylist() if r["age"] == age])
        assert found["low"] <= true <= found["high"]
        assert found["high"] - found["low"] < 6
        assert (found["conditional_independence"], found["bound_low"]) == ("not needed", None)


def test_a_dependence_nobody_observed_is_missed_but_flagged_and_the_bounds_hold_it():
    ours = people(1_000, 2, hidden_matters=1.0)
    found = one(
        fused(people(1_500, 1, hidden_matters=1.0), ours),
        variable="trait_half",
        segment="high",
        scale="keen",
        figure="mean",
    )
    true = np.mean([r["keen"] for r in ours.to_pylist() if r["trait_half"] == "high"])
    assert true > found["high"]
    assert found["conditional_independence"] == "assumed"
    assert "only the bounds do without this" in found["assumption"]
    assert found["bound_low"] <= true <= found["bound_high"]


def test_a_shift_by_hand():
    ours, theirs = np.array([[1.0, 3.0]] * 2), np.array([[1.0, 0.0], [1.0, 2.0]] * 2)
    donors = predictive_mean_matching.MatchGroup((), np.arange(2), np.arange(4), ours, theirs)
    found = shift([donors], np.array([[60.0], [70.0], [60.0], [70.0]]))
    assert found.size == 2.0  # donors: mean 1, standard deviation 1; recipients: 3
    assert found.unexplained[0, "mean"] == pytest.approx(1.0)  # slope 5 shrinks to 4 by the penalty of 1 beside 4
    apart = shift([donors], np.array([[60.0], [60.0], [70.0], [70.0]]))
    assert apart.unexplained[0, "mean"] == pytest.approx(5.0, abs=1e-3)
    assert apart.half(0, "mean") == pytest.approx(1.959964 * 2 * 5, abs=0.01)
    assert widened(Figure(10, 10, 50.0, 47.0, 53.0), 4.0) == (45.0, 55.0)


def test_a_panel_of_other_people_widens_the_intervals_until_they_hold_what_draws_alone_would_miss():
    rng, n = np.random.default_rng(5), 1_000
    other, ours = people(1_500, 1), people(n, 2)
    richer = ours.set_column(2, "spend", pa.array(ours["spend"].to_numpy() * 1.3))  # it shows in what is matched on
    keener = np.clip(ours["keen"].to_numpy() + 2, 0, 100)  # and it goes with what is not
    richer = richer.set_column(ours.column_names.index("keen"), "keen", pa.array(keener))
    richer = richer.append_column("half", pa.array(rng.choice(["left", "right"], n)))
    plan = replace(PLAN, segments=(SegmentColumn("half"),))
    table = fusion.fuse(DuckDBEngine(threads=1), other, richer, plan=plan, params=Settings())
    for side in ("left", "right"):
        row = one(table.to_pylist(), segment=side, scale="keen", figure="mean")
        true = np.mean([r["keen"] for r in richer.to_pylist() if r["half"] == side])
        assert not row["drawn_low"] <= true <= row["drawn_high"]
        assert row["low"] <= true <= row["high"]
        assert "shift as large as they differ" in row["assumption"]


def test_everything_says_inferred_with_method_panel_draws_and_interval():
    for row in fused(people(300, 1), people(300, 2)):
        assert row["status"] == "inferred"
        assert "predictive mean matching" in row["method"]
        assert (row["donor_panel"], row["draws"]) == ("Test Panel (synthetic)", 10)
        assert row["low"] <= row["value"] <= row["high"]
        assert row["assumption"]


def test_only_what_somebody_answered_can_be_borrowed():
    donors, ours = people(200, 1), people(100, 2)
    answers = np.stack([donors["calm"].to_numpy()], axis=1).astype(float)
    group = next(predictive_mean_matching.groups(donors, ours, PLAN.shared))
    taken = predictive_mean_matching.match(group, answers, near=5, rng=np.random.default_rng(1))
    assert set(answers[taken, 0]) <= set(donors["calm"].to_pylist())


def test_who_knows_less_is_matched_on_less_and_who_knows_nothing_not_at_all():
    ours = people(60, 2).to_pylist()
    for row in ours[:20]:
        row["age"] = None
    for row in ours[20:30]:
        row["age"] = row["spend"] = None
    table = pa.Table.from_pylist(ours)
    found = list(predictive_mean_matching.groups(people(100, 1), table, PLAN.shared))
    assert sorted((g.known, len(g.recipients)) for g in found) == [(("age", "spend"), 30), (("spend",), 20)]


def test_small_cells_are_not_shown_and_cannot_be_worked_out_from_the_others():
    ours = people(200, 2).to_pylist()
    ours = [r | {"town": "tiny" if i < 4 else "small" if i < 40 else "large"} for i, r in enumerate(ours)]
    plan = replace(PLAN, segments=(SegmentColumn("town"),))
    rows = fused(people(300, 1), pa.Table.from_pylist(ours), plan=plan)
    for town, hidden in (("tiny", True), ("small", True), ("large", False)):
        row = one(rows, segment=town)
        assert row["suppressed"] is hidden
        assert all((row[k] is None) == hidden for k in ("recipients", "donors", "value", "low", "high"))


@pytest.mark.parametrize(
    "name", ["religion", "voted_for", "health_status", "sexual_orientation", "ethnic_group", "union_member"]
)
def test_special_categories_are_never_fused(name):
    with pytest.raises(ParamsError, match="Special categories"):
        replace(PLAN, scales=("calm", name))
    with pytest.raises(ParamsError):
        replace(PLAN, segments=(SegmentColumn(name),))


def test_a_shared_variable_not_declared_for_the_purpose_is_not_matched_on():
    kept, refused = permitted(
        PLAN.shared, {"spend": (Purpose.TRAINING,), "age": (Purpose.BIAS_ASSESSMENT,)}, Purpose.TRAINING
    )
    assert ([v.name for v in kept], refused) == (["spend"], ("age",))


def test_nobody_to_borrow_from_is_a_data_error():
    with pytest.raises(DataError):
        fused(people(1, 1), people(20, 2))


def test_the_same_seed_gives_the_same_table_with_one_thread_or_two():
    donors, ours = people(300, 1), people(300, 2)
    assert fused(donors, ours) == fused(donors, ours, threads=2)
    assert fused(donors, ours) != fused(donors, ours, seed=2)


HIDDEN = measured.Hidden("age", AGES, (Shared("spend"), Shared("calm")), "keen", "test people (synthetic)")


def test_hiding_a_known_variable_measures_three_levels_beside_two_baselines():
    found = {m.name: m for m in measured.by_hiding(people(400, 3), HIDDEN, measured.Halvings(12, 5, 1)).measures}
    for name in ("fusion_marginal_tv", "fusion_joint_tv", "fusion_individual_accuracy", "fusion_correlation_error"):
        for suffix in ("", ".random", ".hot_deck"):
            assert found[name + suffix].low <= found[name + suffix].value <= found[name + suffix].high
            assert found[name + suffix].n == 200
    assert found["fusion_individual_accuracy"].low > found["fusion_individual_accuracy.random"].high
    assert found["fusion_individual_gain.random"].low > 0
    assert found["fusion_joint_gain.random"].low > 0


def test_against_truth_coverage_error_and_bounds_by_hand():
    row = {
        "variable": "age",
        "scale": "calm",
        "figure": "mean",
        "suppressed": False,
        "conditional_independence": "assumed",
        "value": 50.0,
        "low": 48.0,
        "high": 52.0,
        "drawn_low": 49.5,
        "drawn_high": 50.5,
        "bound_low": 40.0,
        "bound_high": 60.0,
    }
    table = pa.Table.from_pylist([row | {"segment": "young"}, row | {"segment": "old"}])
    ours = pa.table({"age": ["young", "young", "old", "old"]})
    found = {m.name: m.value for m in by_truth(table, ours, {"calm": np.array([50, 52, 70, 50])}).measures}
    assert found["fusion_segment_coverage_95.independence_assumed"] == 0.5
    assert found["fusion_segment_coverage_95.not_widened.independence_assumed"] == 0.0
    assert found["fusion_segment_error.independence_assumed"] == 5.5
    assert found["fusion_bounds_hold"] == 1.0
    assert found["fusion_bound_width"] == 20.0


def test_the_fact_for_the_evidence_holds_no_person_and_no_small_cell():
    table = fusion.fuse(
        DuckDBEngine(threads=1), people(300, 1), people(60, 2), plan=PLAN, params=Settings(smallest_cell=1_000)
    )
    fact = as_facts(table).facts[0]
    assert fact.value["status"] == "inferred"
    assert all(r["suppressed"] and r["value"] is None for r in fact.value["rows"])


def test_the_picture_has_the_same_bytes_twice(tmp_path):
    from twinops.evaluation.canvas import save

    table = fusion.fuse(DuckDBEngine(threads=1), people(300, 1), people(300, 2), plan=PLAN, params=Settings())
    for name in ("one.png", "two.png"):
        save(fusion_picture(table, variable="trait_half", order=("low", "high")), tmp_path / name, NEUTRAL)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
