"""A made-up candidate for governance tests: measures as the stages leave them, declarations from the repository."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.measure import Measure
from twinops.entities.shown import Presentation
from twinops.entities.wording import Wording
from twinops.governance.assessment import questions as dpia
from twinops.governance.law import intended_use
from twinops.governance.policy import limits as policy

ROOT = Path(__file__).parents[2]
COMPLIANCE = ROOT / "compliance"
HELD_OUT = "held-out as-of days 253, 281, 309, 337"
DRAWN = "percentile interval of 400 draws of households"


def text(name: str) -> str:
    return (COMPLIANCE / name).read_text(encoding="utf-8")


@cache
def shipped_policy() -> policy.Policy:
    return policy.read(text("policy.yaml"))


def measure(name: str, value: float, low: float | None = None, high: float | None = None, **more: Any) -> Measure:
    settings = {"n": 1940, "unit_of_n": "households", "source": HELD_OUT, "method": DRAWN} | more
    return Measure(name, value, low=low, high=high, **settings)


def fact(name: str, value: Any, kind: Kind = Kind.MEASURED) -> Fact:
    return Fact(name, value, kind, "made up for a test")


def attribute(ratio: float = 0.95, *, low: float = 0.85, high: float = 1.0, **more: Any) -> dict[str, Any]:
    """What was found of one attribute: one group of 300 with these bounds, and one that is shown even."""
    one = {"group": "Under 15K", "n": 300, "ratio": ratio, "low": low, "high": high, "enough": True}
    other = {"group": "15-24K", "n": 501, "ratio": 0.95, "low": 0.9, "high": 1.0, "enough": True}
    told = {"worst_group": "Under 15K", "set_aside": 0, "levels_set_aside": {}, "households_to_settle": 4200}
    return {"n": 801, **told, "groups": [one, other], "decides": True, **more}


ATTRIBUTES = ("age", "income", "marital_status", "household_comp")
EVEN = {name: attribute() for name in ATTRIBUTES}

WATCHED = {g.id: g for g in shipped_policy().gates}["influence"].limits["groups"]
"""Who is easily exploited, as the policy declares it."""

MEASURES = (
    measure("active_auc", 0.8801, 0.871, 0.889),
    measure("active_auc.rfm", 0.8732, 0.864, 0.882),
    measure("active_auc.naive", 0.721, 0.71, 0.732),
    measure("active_auc.gain_over_rfm", 0.0069, 0.0031, 0.0108),
    measure("active_auc.gain_over_best", 0.0069, 0.0031, 0.0108),
    measure("active_brier", 0.1002, 0.096, 0.104),
    measure("spend_mae", 66.25, 63.1, 69.4, unit="USD"),
    measure("spend_mae.rfm", 67.51, 64.2, 70.6, unit="USD"),
    measure("spend_mae.gain_over_rfm", 1.26, 0.52, 1.98, unit="USD"),
    measure("spend_mae.gain_over_best", 1.26, 0.52, 1.98, unit="USD"),
    measure("holdout_active_auc", 0.872, 0.852, 0.891, n=371),
    measure("holdout_spend_mae", 68.1, 61.9, 74.8, unit="USD", n=371),
    measure("drift_share", 0.0, 0.0, 0.125, unit_of_n="households"),
    measure("early_baskets_ratio", 0.994, 0.891, 1.092),
    measure("early_active_ratio", 0.998, 0.912, 1.081),
    measure("early_baskets_ratio.week", 0.994, 0.951, 1.032),
    measure("early_active_ratio.week", 0.998, 0.962, 1.031),
    measure("influence_against_guard", 0, n=334, unit_of_n="offers"),
    *(measure(f"influence_ratio.{group}", 0.9, 0.72, 1.12, n=539) for group in WATCHED),
    measure("consent_coverage", 0.852),
    measure("linkage_precision", 0.998, 0.994, 0.999, n=4200, unit_of_n="pairs of records"),
    measure("carried_canaries", 0.0, 0.0, 0.019, n=200),
    measure("carried_growth", 0.01, -0.02, 0.04, n=4),
    measure("membership_rate", 0.012, 0.006, 0.031),
    measure("membership_auc", 0.53, 0.51, 0.56),
    measure("fairness_ratio.income", 0.35, 0.14, 1.9, n=801),
    *(measure(f"interval_coverage_80.{q}", 0.797, 0.788, 0.806) for q in ("baskets", "spend")),
    *(
        measure(f"interval_coverage_80.{q}.tier_{tier}", 0.795, 0.78, 0.81)
        for q in ("baskets", "spend")
        for tier in ("low", "mid", "high")
    ),
)
GROUPS = [
    {
        "attribute": "income",
        "group": "Under 15K",
        "n": 61,
        "offers": None,
        "selection_rate": {"value": 0.08, "low": 0.03, "high": 0.17},
        "rate_over_rest": {"value": 0.35, "low": 0.14, "high": 0.88},
        "rate_over_rest_among_shoppers": {"value": 0.4, "low": 0.15, "high": 0.9},
        "tells_by_itself": False,
        "predicted_over_actual_spend": None,
    }
]
DOCUMENTS = [
    "README.md",
    "appendix.html",
    "appendix.md",
    "bom.cdx.json",
    "croissant.json",
    "dpia.json",
    "dpia.html",
    "dpia.md",
    "legitimate_interest.md",
    "model_card.html",
    "notices.md",
    "ropa.csv",
    "ropa.jsonld",
    "verdicts.json",
]
DECIDED = {
    "score": "expected_spend",
    "share": 0.2,
    "mitigation": {"kind": "none", "strength": 0.0, "toward": None, "attribute": None},
    "rule": {"attributes": sorted(ATTRIBUTES), "ratio": 0.8, "alpha": 0.05},
    "provenance": "US grocery households",
}
APART = {"share": 0.2, "salt": 1, "households": 371, "of": 1902, "why_not": ""}
OPENING = {"number": 1, "day": "2026-11-25", "revision": "5abf5c1d0e", "why": "the release of November", "days": [253],
           "candidate": "a" * 16, "of_this": True}  # fmt: skip
LOOKED = {"tried": 3, "openings": [OPENING], "of_this_split": 1, "declared": True, "size": 4, "head": "b" * 64,
          "lines": ["a" * 16, "c" * 16, "d" * 16, "b" * 16]}  # fmt: skip
HOUSEHOLDS = Wording("household", "households", "USD", 2)
FACTS = (
    Fact("wording", asdict(HOUSEHOLDS), Kind.DECLARED, "params.yaml: subject"),
    fact("holdout.split", APART),
    fact("looks", LOOKED),
    fact("fairness_tests", EVEN),
    fact("fairness_groups", GROUPS),
    fact("fairness_decision", DECIDED),
    fact("influence_groups", {g: {a: list(x) for a, x in d.items()} for g, d in WATCHED.items()}),
    fact("rows_without_valid_basis", 0),
    fact("excluded", {"consent_refused": 212, "consent_withdrawn": 97}),
    fact("quarantined", {"transactions": 0}),
    fact("git_revision", "5abf5c1d0e"),
    fact("git_dirty", False),
    fact("lock_matches", True),
    fact("judged_on", "2026-11-25"),
    fact("documents.present", DOCUMENTS),
    fact("documents.problems", []),
    Fact(
        "source.transactions",
        {
            "controller": "Demo Grocer",
            "provenance": "84.51° study (CC0); simulated, educational (MIT).",
            "retention_days": 730,
            "synthetic": False,
        },
        Kind.DECLARED,
        "src/twinops/data/sources/transactions.py",
    ),
    Fact(
        "source.consent",
        {
            "controller": "Demo Grocer",
            "provenance": "Made by a seeded generator.",
            "retention_days": 1095,
            "synthetic": True,
        },
        Kind.DECLARED,
        "src/twinops/data/sources/consent.py",
    ),
)


SIGNED = {"by": "someone@demo-grocer.example", "problem": "", "counts": True}
OPEN = {"state": "open", "decided_on": None, "decided_by": None, "assessed": None, "reasons": [], "triggers": []}
STANDS = {
    **OPEN,
    "state": "stands",
    "decided_on": "2026-11-20",
    "decided_by": "Person of decision",
    "assessed": "d" * 64,
}
UNSIGNED = (fact("dpia.signatures", {}), fact("dpia.review", OPEN))
"""Nobody signed, nobody decided."""


@cache
def declared() -> tuple[Fact, ...]:
    """What the files of the repository declare; every human field is empty."""
    use = intended_use.read(text("intended_use.yaml"))
    return (*intended_use.facts(use), *dpia.facts(dpia.read(text("dpia.yaml"))), *UNSIGNED)


def answered(**changes: dict[str, Any]) -> tuple[Fact, ...]:
    """The same, with every human field answered; `changes` by field name."""
    kept = tuple(_answered(f, changes) if f.kind is Kind.HUMAN else f for f in declared() if f not in UNSIGNED)
    return (*kept, fact("dpia.signatures", dict.fromkeys(dpia.HUMAN, SIGNED)), fact("dpia.review", STANDS))


def _answered(found: Fact, changes: dict[str, dict[str, Any]]) -> Fact:
    name = found.name.removeprefix("dpia.human.")
    filled = {part: _filling(name, part) if value is None else value for part, value in found.value.items()}
    return replace(found, value={**filled, **changes.get(name, {})})


def _filling(name: str, part: str) -> Any:
    if part == "by":
        return f"Person of {name}"
    if part == "dated":
        return "2026-11-20"
    if part in ("severity", "likelihood", "residual_severity", "residual_likelihood"):
        return 2
    if part == "stance":
        return "favourable"
    return "approve" if (name, part) == ("decision", "answer") else "Made up for a test."


CLEARED = (
    fact("ai_act_classification", {"class": "minimal", "means": "no rule holds", "rules": [], "to_answer": []}),
    fact("consumer_law_duties", []),
)
"""A use that needs nobody's word. The shipped one does: it scores behaviour over time."""


def candidate(*facts: Fact, measures: tuple[Measure, ...] = ()) -> Evidence:
    """A candidate that passes every gate; facts and measures given here replace those of the same name."""
    kept = {f.name: f for f in (*FACTS, *answered(), *CLEARED, *facts)}
    measured = {m.name: m for m in (*MEASURES, *measures)}
    return Evidence("twin", "a" * 64, date(2018, 1, 1), tuple(measured.values()), tuple(kept.values()), shown())


@cache
def shown() -> tuple[Presentation, ...]:
    """How those who measured it want it to be read."""
    rooms = (
        "accuracy.measures",
        "accuracy.final",
        "scorecard.coverage",
        "drift.measures",
        "drift.early_warning_findings",
    )
    rooms = (*rooms, "fairness.findings", "fusion.findings", "influence.findings", "linkage.measures")
    rooms = (*rooms, "privacy.membership", "quality.population", "texts.measures")
    return tuple(one for room in rooms for one in import_module(f"twinops.evaluation.{room}").SHOWN)


def empty() -> Evidence:
    return Evidence("twin", "a" * 64, date(2018, 1, 1))


def without(evidence: Evidence, name: str) -> Evidence:
    """The same evidence with one measure or fact removed."""
    measures = tuple(m for m in evidence.measures if m.name != name)
    facts = tuple(f for f in evidence.facts if f.name != name)
    return replace(evidence, measures=measures, facts=facts)
