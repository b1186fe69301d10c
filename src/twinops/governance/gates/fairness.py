"""Refuse a model whose offers reach one group much less often than everyone else; say so when too few people can tell.

Three outcomes, because with hundreds of households a ratio alone cannot decide: the four-fifths rule raises false
alarms on nearly every even-handed model, and a lower bound above it is out of reach. So *failed* needs a ratio below
the limit **and** a permutation test that survives Holm's correction; *passed* needs every simultaneous lower bound
above the limit.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.governance.reading import Record, Text

RULE = "EU Charter art. 21; GDPR art. 5(1)(a); four-fifths rule, 29 CFR 1607.4(D); Holm 1979"
QUESTION = "Does the offer decision reach every assessed group about as often as everyone else?"
FACT = "fairness_tests"
PICTURES = ("fairness_ratios", "selection_rates")
WATCHED = ("fairness_", "mitigation_")
CONSIDERED_AS = "Whom the decision reaches less often"
RISKS = ("risk_discrimination",)
SPEAKS_TO = {"dpia.risk_design": WATCHED, "annex_iv.2g": (FACT,), "annex_iv.3": ("fairness_groups",)}
Share = Annotated[float, Field(gt=0, lt=1)]


class Limits(Record):
    """`attributes` that must be tested, the `ratio` of selection rates to stay above, the test's level `alpha`."""

    attributes: Annotated[tuple[Text, ...], Field(min_length=1)]
    ratio: Share
    alpha: Share


class AttributeTest(BaseModel):
    """What was found for one attribute: its worst group against the rest. None: no group was large enough."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    n: int
    worst_group: str | None = None
    ratio: float | None = None
    holm_p: float | None = None
    simultaneous_low: float | None = None
    simultaneous_high: float | None = None
    detectable_ratio: float | None = None


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (FACT,)


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """Any attribute below the limit beyond chance: failed. All shown to be above it: passed. Else nobody can tell."""
    tests, other = _tests(evidence), _another_decision(evidence)
    if other:
        return missing(other, "Run `dvc repro fairness` for the decision of compliance/intended_use.yaml.")
    absent = [name for name in limits.attributes if name not in tests]
    if absent:
        return missing(
            f"Whom the offers reach was not tested by {', '.join(map(_spoken, absent))}.",
            "Run `dvc repro fairness`.",
            limit=limits.ratio,
        )
    low = {name: t for name, t in tests.items() if _fails(t, limits)}
    shown = {name: t for name, t in tests.items() if (t.simultaneous_low or 0) > limits.ratio}
    rest = {name: t for name, t in tests.items() if name not in low and name not in shown}
    said = " ".join([*_failures(low, limits), *(_briefly(rest) if low else _doubts(rest)), *_passes(shown, limits)])
    if low:
        return failed(
            said,
            "See notebooks/fairness.py; weigh mitigation or another use, never other groups or limits. "
            "How often this test errs: docs/gates.md.",
            **_figures(evidence, low, limits),
        )
    if rest:
        return inconclusive(
            said,
            "More households with declared demographics would tell (how many: docs/gates.md); else a named risk "
            "officer decides in writing.",
            **_figures(evidence, rest, limits),
        )
    return passed(said, **_figures(evidence, shown, limits))


def _tests(evidence: Evidence) -> dict[str, AttributeTest]:
    fact = evidence.fact(FACT)
    found = {}
    for name, raw in sorted((fact.value if fact and isinstance(fact.value, dict) else {}).items()):
        try:
            found[str(name)] = AttributeTest.model_validate(raw)
        except ValidationError:
            continue  # an entry that cannot be read is no test: the gate then answers missing
    return found


def _another_decision(evidence: Evidence) -> str:
    """A test of another decision than the declared one is no test of it."""
    tested, declared = evidence.fact("fairness_decision"), evidence.fact("intended_use.decision")
    if tested is None or declared is None:
        return ""
    pairs = {part: (_part(tested, part), _part(declared, part)) for part in ("score", "share")}
    wrong = [f"{part} {was} instead of {should}" for part, (was, should) in pairs.items() if was != should]
    return f"What was tested is not the declared decision: {', '.join(wrong)}." if wrong else ""


def _part(fact: Fact, name: str) -> Any:
    return fact.value.get(name) if isinstance(fact.value, dict) else None


def _fails(tested: AttributeTest, limits: Limits) -> bool:
    return (
        tested.ratio is not None
        and tested.holm_p is not None
        and tested.ratio < limits.ratio
        and tested.holm_p < limits.alpha
    )


def _failures(tests: dict[str, AttributeTest], limits: Limits) -> list[str]:
    return [
        f"{_spoken(name)}: {_found(t)}: below {limits.ratio:g} and beyond chance (p < {limits.alpha:g})."
        for name, t in tests.items()
    ]


def _doubts(tests: dict[str, AttributeTest]) -> list[str]:
    return [f"{_spoken(name)}: {_found(t)}: cannot tell{_because(t)}." for name, t in tests.items()]


def _briefly(tests: dict[str, AttributeTest]) -> list[str]:
    each = [f"{_spoken(name)}{f' ({_detectable(t)})' if _detectable(t) else ''}" for name, t in tests.items()]
    return [f"By {', '.join(each)} the data cannot tell."] if tests else []


def _passes(tests: dict[str, AttributeTest], limits: Limits) -> list[str]:
    return [f"{_spoken(name)}: {_found(t)}: above {limits.ratio:g}." for name, t in tests.items()]


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _found(t: AttributeTest) -> str:
    if t.ratio is None:
        return f"no group was large enough to compare (n={t.n:,} households)"
    low = "none" if t.simultaneous_low is None else f"{t.simultaneous_low:.3g}"
    p = "none" if t.holm_p is None else f"{t.holm_p:.2g}"
    doubt = f"simultaneous lower bound {low}, n={t.n:,} households, Holm-adjusted p {p}"
    return f"group ‘{t.worst_group}’ gets the offer {t.ratio:.3g} times as often as the rest ({doubt})"


def _because(t: AttributeTest) -> str:
    return f"; with this many households {_detectable(t)}" if _detectable(t) else ""


def _detectable(t: AttributeTest) -> str:
    return "" if t.detectable_ratio is None else f"only a ratio below {t.detectable_ratio:.3g} would be detected"


def _figures(evidence: Evidence, tests: dict[str, AttributeTest], limits: Limits) -> dict[str, Any]:
    worst = min(tests.values(), key=lambda t: (t.ratio is None, t.ratio or 0))
    interval = {"low": worst.simultaneous_low, "high": worst.simultaneous_high}
    return {**about(evidence.fact(FACT), limit=limits.ratio), "value": worst.ratio, **interval, "n": worst.n}
