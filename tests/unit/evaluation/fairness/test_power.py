"""The fairness test cries wolf at most one time in twenty, finds what it says it would, and the page tells it so."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from twinops.data.journey import SHEET
from twinops.entities.evidence import Evidence
from twinops.evaluation.fairness import disparity
from twinops.evaluation.fairness.declaration import read_decision
from twinops.evaluation.fairness.disparity import Reach
from twinops.evaluation.fairness.findings import ReplayedDecision, fairness_findings
from twinops.evaluation.fairness.groups import groupings
from twinops.evaluation.fairness.measures import assess
from twinops.evaluation.statistics import bootstrap
from twinops.governance.gates import fairness as gate
from twinops.params import FairnessParams

ROOT = Path(__file__).parents[4]


@pytest.fixture
def power(monkeypatch):
    """`bench/power.py`, with what it simulates."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    import power

    return power


def test_even_decisions_seldom_fail_and_a_wide_gap_mostly_does(power) -> None:
    rule = power.declared()
    told = [power.outcome(*power.tried(801, 1.0, run, rule, draws=1), rule) for run in range(120)]
    assert told.count("failed") <= 12  # 1 in 10,000 when the true rate is .05
    assert told.count("failed") < 0.5 * power.power(801, 0.4, runs=30, rule=rule).failed


def test_what_is_tried_is_what_the_gate_says(power) -> None:
    rule = power.declared()
    limits = gate.Limits(attributes=tuple(rule.attributes), ratio=rule.ratio_limit, alpha=rule.alpha)
    for ratio in (1.0, 0.3):
        people, table = power.town(801, ratio, np.random.default_rng([0, 801, round(1000 * ratio)]))
        drawn = bootstrap.counts(801, draws=power.DRAWS, seed=0)
        whole = assess(people, groupings(people, table, rule), rule, draws=drawn)
        evidence = Evidence("twin", "0" * 64, date(2018, 1, 1), facts=_facts(people, whole))
        assert power.outcome(*power.tried(801, ratio, 0, rule), rule) == gate.check(evidence, limits).outcome.value


def test_p_is_the_sum_over_all_outcomes_as_wide() -> None:
    rng = np.random.default_rng(3)
    n, rest = rng.integers(30, 400, 20), rng.integers(30, 400, 20)
    found = Reach(*(x.astype(float) for x in (rng.binomial(n, 0.2), n, rng.binomial(rest, 0.3), rest)))
    assert disparity.permutation_p(found) == pytest.approx([_by_hand(*case) for case in zip(*found, strict=True)])


def test_what_was_measured_in_full_keeps_to_one_false_alarm_in_twenty(power) -> None:
    known = json.loads((ROOT / "bench" / "gates.json").read_text(encoding="utf-8"))
    alarms = [power.Alarms.from_json(a) for a in known["alarms"]]
    assert {a.n: a.runs for a in alarms} == power.ALARM_RUNS
    assert max(a.share[2] for a in alarms) <= 0.05
    rows = [power.Row.from_json(r) for r in known["powers"]]
    assert min(r.runs for r in rows) >= 200
    assert all(r.share("failed")[2] >= 0.8 for r in rows if r.stated), "a stated detectable ratio is found less often"
    drifted = {p["what"]: p["flagged"] for p in known["drift"] if p["what"] != "as it was"}
    assert not any(p["flagged"] for p in known["drift"] if p["what"] == "as it was")
    assert len(drifted) == 3
    assert all(drifted.values())


def test_the_page_is_what_the_file_says(power) -> None:
    import gates
    from gates_page import page

    known = gates.read()
    written = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
    assert page(known.alarms, known.powers, known.drift) == written
    assert "at most 5%" in written
    assert "NOT shown" not in written


def _facts(people, whole):
    """What the pipeline's stage would say of this town."""
    declared = read_decision(ROOT / "compliance" / "intended_use.yaml")
    replay = FairnessParams(cutoff=337, offer_share=declared.decision.share, draws=200, seed=0)
    found = fairness_findings(people, whole, (), replayed=ReplayedDecision(declared, replay, SHEET))
    return tuple(f for f in found.facts if f.name == gate.FACT)


def _by_hand(selected: float, n: float, selected_rest: float, n_rest: float) -> float:
    total, chosen = n + n_rest, selected + selected_rest
    possible = np.arange(max(0, n + chosen - total), min(n, chosen) + 1)
    as_wide = np.abs(possible - n * chosen / total) >= abs(selected - n * chosen / total) - 1e-9
    return float(min(1.0, stats.hypergeom.pmf(possible[as_wide], total, chosen, n).sum()))
