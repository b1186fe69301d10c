"""The fairness test errs at most one time in twenty, tells an even decision from many households on, and says so."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from twinops.data.journey import SHEET
from twinops.entities.evidence import Evidence
from twinops.evaluation.fairness.declaration import Decision
from twinops.evaluation.fairness.findings import AssessedReach, ReplayedDecision, fairness_findings
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


def told(power, n: int, ratio: float, runs: int, **more: str) -> list[str]:
    rule = power.declared()
    return [power.outcome(*power.tried(n, ratio, run, rule, **more), rule) for run in range(runs)]


def test_what_lies_at_the_limit_or_above_seldom_fails_and_a_wide_gap_mostly_does(power) -> None:
    assert told(power, 801, 1.0, 60).count("failed") <= 8  # 1 in 1,000 when the true rate is .05
    assert told(power, 801, 0.8, 60, planted="every").count("failed") <= 8
    assert told(power, 3204, 0.4, 10).count("failed") >= 8


def test_an_even_decision_passes_from_many_households_on_and_what_lies_at_the_limit_does_not(power) -> None:
    assert told(power, 20_000, 1.0, 8).count("passed") >= 6
    assert told(power, 20_000, 0.8, 8).count("passed") <= 2


def test_what_is_tried_is_what_the_gate_says(power) -> None:
    rule = power.declared()
    limits = gate.Limits(attributes=rule.deciding, ratio=rule.ratio, alpha=rule.alpha)
    for n, ratio, expected in ((801, 1.0, "inconclusive"), (3204, 0.3, "failed"), (20_000, 1.0, "passed")):
        rng = np.random.default_rng([0, n, round(1000 * ratio)])
        people, table = power.town(n, ratio, rng, less=power.ONE)
        drawn = bootstrap.counts(n, draws=2, seed=0)
        whole = assess(people, groupings(people, table, rule), rule, draws=drawn)
        evidence = Evidence("twin", "0" * 64, date(2018, 1, 1), facts=_facts(people, whole, rule))
        assert power.outcome(*power.tried(n, ratio, 0, rule), rule) == expected
        assert gate.check(evidence, limits).outcome.value == expected


def test_what_was_measured_in_full_keeps_to_one_error_in_twenty(power) -> None:
    known = json.loads((ROOT / "bench" / "gates.json").read_text(encoding="utf-8"))
    rows = [power.Row.from_json(r) for r in known["powers"]]
    assert {r.n: r.runs for r in rows if r.ratio in power.COUNTED} == power.RUNS
    assert max(r.share("failed")[1] for r in rows if r.ratio >= power.LIMIT) <= 0.05
    assert max(r.share("passed")[1] for r in rows if r.ratio <= power.LIMIT) <= 0.05
    even = {r.n: r.share("passed") for r in rows if r.ratio == 1}
    assert min(even[n][1] for n in even if n >= 15_000) >= 0.8, "from a stated number on an even decision passes"
    wide = {(r.n, r.ratio): r.share("failed")[0] for r in rows}
    assert wide[15_000, 0.6] > wide[3204, 0.6] > wide[3204, 0.8]
    drifted = {p["what"]: p["flagged"] for p in known["drift"] if p["what"] != "as it was"}
    assert not any(p["flagged"] for p in known["drift"] if p["what"] == "as it was")
    assert len(drifted) == 3
    assert all(drifted.values())


def test_the_page_is_what_the_file_says(power) -> None:
    import gates
    from gates_page import page

    known = gates.read()
    written = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
    assert page(known.before, known.powers, known.drift, known.calm) == written
    assert "From 15,000 households on" in written
    assert "SHOWN" not in written


def _facts(people, whole, rule):
    """What the pipeline's stage would say of this town."""
    replayed = ReplayedDecision(
        Decision("offer", "expected_spend", 0.2), rule, FairnessParams(cutoff=337, draws=200, seed=0), SHEET
    )
    found = fairness_findings(AssessedReach(people, whole, ()), replayed=replayed)
    return tuple(f for f in found.facts if f.name in (gate.FACT, gate.DECISION))


def test_intervals_on_calm_weeks_hold_95_of_100_and_did_not_before(power) -> None:
    import gates

    calm = gates.read().calm
    assert {h.moves is None for h in calm} == {True, False}
    for h in calm:
        assert h.share(h.now)[2] >= 0.95, h.what
    moving = [h for h in calm if h.moves is None or h.moves > 0.02]
    assert all(h.share(h.before)[2] < 0.95 for h in moving)
