"""Refuse a model whose offers reach one group much less often than everyone else; say so when too few people can tell.

*Failed*: a group is shown to be below the limit. *Passed*: the groups are shown to be above it, each by itself at the
full level (intersection-union), which too few households cannot do. Else nobody can tell, and how many could is said.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from twinops.entities.evenness import GroupReach, attribute_outcome, telling
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.small_cells import HIDDEN
from twinops.entities.verdict import Outcome, Verdict, about, failed, inconclusive, missing, not_applicable, passed
from twinops.entities.wording import MANY
from twinops.governance.assessment import justification
from twinops.governance.assessment.justification import JUSTIFIABLE, Weighed
from twinops.governance.gates._absent import (
    COLUMNS,
    OFFERS,
    PROFILES,
    absent,
    declaring,
    held,
    in_words,
    not_held,
    undeclared,
    unserved,
)
from twinops.governance.reading import Record, Text

RULE = (
    "EU Charter art. 21; GDPR art. 5(1)(a), recital 71; Berger 1982, doi:10.2307/2530453; "
    "Miettinen & Nurminen 1985, doi:10.1002/sim.4780040211"
)
QUESTION = "Does the offer decision reach every assessed group about as often as everyone else?"
FACT, DECISION = "fairness_tests", "fairness_decision"
PICTURES = ("fairness_ratios", "selection_rates", "reach_against_price")
WATCHED = ("fairness_",)
CONSIDERED_AS = "Whom the decision reaches less often"
RISKS = ("risk_discrimination",)
SPEAKS_TO = {"dpia.risk_design": WATCHED, "annex_iv.2g": (FACT,), "annex_iv.3": ("fairness_groups",)}
RUN = "Run `dvc repro fairness`."
NOBODY_ALLOWS = (
    f"Ten {MANY} or more must allow both offers and bias_assessment, as opt-ins tell it; or a risk officer leaves the "
    "gate out with a reason: `not_judged` in compliance/policy.yaml."
)
NAME_OTHERS = "A risk officer names what is held (`attributes` in compliance/policy.yaml), or decides in writing."
JUDGED_PARTS = ("score", "share", "mitigation")
Share = Annotated[float, Field(gt=0, lt=1)]


class Limits(Record):
    """`attributes` that decide, the `ratio` of selection rates to stay above, the tests' level `alpha`.

    For a `justifiable` one a failed answer may be justified in writing, for `justified_days` at most.
    """

    attributes: Annotated[tuple[Text, ...], Field(min_length=1)]
    ratio: Share
    alpha: Annotated[float, Field(gt=0, le=0.1)]
    justifiable: tuple[Text, ...] = ()
    justified_days: Annotated[int, Field(ge=1, le=366)] = 180

    @model_validator(mode="after")
    def _no_ground_of_discrimination(self) -> Self:
        """Sex, age, origin, belief, birth, disability and their like justify nothing (EU Charter art. 21)."""
        barred = sorted(set(self.justifiable) - set(JUSTIFIABLE))
        if barred:
            raise ValueError(
                f"justifiable: {', '.join(barred)} cannot be justified (EU Charter art. 21); only these can: "
                f"{', '.join(JUSTIFIABLE)}"
            )
        return self


class _Row(BaseModel):
    """One group as the stage leaves it."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    group: str
    n: Annotated[int, Field(ge=1)]
    ratio: Annotated[float, Field(ge=0, le=1)]
    low: Annotated[float, Field(ge=0, le=1)]
    high: Annotated[float, Field(ge=0, le=1)]
    enough: bool

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.ratio <= self.high:
            raise ValueError("the bounds of a ratio lie on either side of it")
        return self


class AttributeTest(BaseModel):
    """What was found for one attribute; no groups: nothing could be compared."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    n: Annotated[int, Field(ge=0)]
    set_aside: Annotated[int, Field(ge=0)] | None
    """None: fewer than ten."""
    levels_set_aside: Mapping[str, int | None] = {}
    groups: tuple[_Row, ...]
    worst_group: str | None = None
    households_to_settle: int | None = None

    @property
    def households(self) -> int:
        """All that could be compared, small counts apart."""
        return self.n + (self.set_aside or 0)

    @property
    def reached(self) -> tuple[GroupReach, ...]:
        """As the rule reads it."""
        return tuple(GroupReach(**g.model_dump()) for g in self.groups)

    def outcome(self, limit: float) -> Outcome:
        """What the rule says."""
        return attribute_outcome(self.reached, set_aside=self.set_aside, limit=limit)

    def worst(self, limit: float) -> GroupReach | None:
        """Of the groups by which the outcome is what it is, the one with the smallest ratio."""
        told = telling(self.reached, self.outcome(limit), limit=limit)
        return min(told, default=None, key=lambda g: (g.ratio, g.low, g.group))


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (FACT, DECISION)


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """One deciding attribute shown below the limit: failed. All shown to be above it: passed. Else nobody can tell."""
    tests = {name: t for name, t in _tests(evidence).items() if name in limits.attributes}
    lacking, offers = _lacking(evidence, tests, limits), undeclared(evidence, OFFERS)
    if offers is not None and _reaches_nobody(evidence):
        return not_applicable(f"There is no decision to judge. {unserved(evidence)[0]}", **about(offers))
    why = _not_judged(evidence, {n: t for n, t in tests.items() if n not in lacking}, limits, lacking)
    if why:
        return missing(why, _remedy(evidence, tests), limit=limits.ratio)
    nothing = absent(evidence, PROFILES)
    if nothing and set(lacking) == set(limits.attributes):
        return not_applicable(
            f"There are no profiles by which groups could be told apart: {in_words(nothing)}.", **about(nothing[0])
        )
    told = not_held(lacking, evidence) if lacking else ""
    if set(lacking) == set(limits.attributes):
        return inconclusive(told, NAME_OTHERS, **about(evidence.fact(COLUMNS), limit=limits.ratio))
    judged = {n: t for n, t in tests.items() if n not in lacking}
    return _Judged(evidence, limits, judged, weighed(evidence, limits)).verdict(told)


def _remedy(evidence: Evidence, tests: Mapping[str, AttributeTest]) -> str:
    """Where the test was made and nobody could be compared, no run helps: somebody declares, or is asked."""
    if not tests or any(t.households for t in tests.values()):
        return RUN
    return declaring(evidence) or NOBODY_ALLOWS


def _reaches_nobody(evidence: Evidence) -> bool:
    """The decision was replayed, and not even whether anything is held could be compared."""
    tests = _tests(evidence)
    return evidence.fact(DECISION) is not None and bool(tests) and not any(t.households for t in tests.values())


def _lacking(evidence: Evidence, tests: Mapping[str, AttributeTest], limits: Limits) -> tuple[str, ...]:
    """Attributes that the policy names and no profile holds, as a fact says; what was tested is none of them."""
    columns = held(evidence)
    untested = [n for n in limits.attributes if n not in tests or not tests[n].households]
    return () if columns is None or evidence.fact(FACT) is None else tuple(n for n in untested if n not in columns)


def weighed(evidence: Evidence, limits: Limits) -> Mapping[str, Weighed]:
    """What people wrote to justify an attribute, each with whether it counts."""
    fact = evidence.fact(FACT)
    return justification.weighed(evidence, fact.id if fact else "", at_most_days=limits.justified_days)


def ends(evidence: Evidence, limits: Limits) -> dict[str, date]:
    """Justifications of what would have failed without them."""
    low = {name for name, outcome in failing(evidence, limits).items() if outcome is Outcome.FAILED}
    found = {name: w for name, w in weighed(evidence, limits).items() if name in limits.justifiable and not w.problem}
    return {f"the justification of {_spoken(name)}": w.said.until for name, w in found.items() if name in low}


def failing(evidence: Evidence, limits: Limits) -> dict[str, Outcome]:
    """What the rule says of each attribute that decides, whatever anybody justifies."""
    return {name: t.outcome(limits.ratio) for name, t in _tests(evidence).items() if name in limits.attributes}


def _not_judged(evidence: Evidence, tests: Mapping[str, AttributeTest], limits: Limits, lacking: Sequence[str]) -> str:
    """Why there is nothing to judge here; empty: there is."""
    fact = evidence.fact(DECISION)
    if fact is None:
        return "The decision that was tested is not in this evidence."
    other = _another(evidence, fact, limits)
    untested = [name for name in limits.attributes if name not in tests and name not in lacking]
    if other or untested:
        return other or f"Whom the offers reach was not tested by {', '.join(map(_spoken, untested))}."
    if tests and not any(t.households for t in tests.values()):
        nobody = "There is nobody whom the decision could reach and who may be assessed, so it cannot be judged."
        return " ".join([nobody, *unserved(evidence)])
    return ""


def _another(evidence: Evidence, tested: Fact, limits: Limits) -> str:
    """A test of another decision, or by another rule, is no test of this one."""
    declared = evidence.fact("intended_use.decision")
    if not _same_rule(_part(tested, "rule"), limits):
        return "What was tested was judged by another rule than the policy's."
    if declared is None:
        return ""
    pairs = {part: (_plain(_part(tested, part)), _plain(_part(declared, part))) for part in JUDGED_PARTS}
    wrong = [f"{part} {was} instead of {should}" for part, (was, should) in pairs.items() if was != should]
    return f"What was tested is not the declared decision: {', '.join(wrong)}." if wrong else ""


@dataclass(frozen=True)
class _Judged:
    """The attributes that decide, the limits, and what was justified."""

    evidence: Evidence
    limits: Limits
    tests: Mapping[str, AttributeTest]
    weighed: Mapping[str, Weighed]

    def verdict(self, not_held: str) -> Verdict:
        """A justified attribute is out of the way for its time; it is said, and all the others decide.

        What nobody holds leaves a doubt that a person settles; a gap that was shown fails all the same.
        """
        told = {name: t.outcome(self.limits.ratio) for name, t in self.tests.items()}
        low = [n for n, outcome in told.items() if outcome is Outcome.FAILED and not self._justified(n)]
        unsure = [n for n, outcome in told.items() if outcome is Outcome.INCONCLUSIVE]
        said = " ".join([*self._justifications(told), *self._each(low, told), *self._rest(low, told), not_held]).strip()
        if low:
            return failed(said, self._way_out(low), **self._figures(low))
        if unsure:
            return inconclusive(said, self._told_by(unsure), **self._figures(unsure))
        if not_held:
            return inconclusive(said, NAME_OTHERS, **self._figures(list(self.tests)))
        return passed(said, **self._figures(list(self.tests)))

    def _told_by(self, unsure: Sequence[str]) -> str:
        """More households are worth waiting for only where a number of them would settle each doubt."""
        more = all(self.tests[name].households_to_settle is not None for name in unsure)
        return f"A named risk officer decides in writing{f', or more {MANY} would tell' if more else ''}."

    def _justified(self, name: str) -> bool:
        return name in self.limits.justifiable and name in self.weighed and not self.weighed[name].problem

    def _justifications(self, told: Mapping[str, Outcome]) -> list[str]:
        """Of attributes that need one; one that cannot count is said to be so."""
        return [
            Weighed(w.said, w.problem or ("" if name in self.limits.justifiable else "the policy allows none")).sentence
            for name, w in self.weighed.items()
            if told.get(name) is Outcome.FAILED
        ]

    def _rest(self, low: list[str], told: Mapping[str, Outcome]) -> list[str]:
        """Where something failed, what else could not be told is named only."""
        others = [n for n in told if n not in low and not (told[n] is Outcome.FAILED and self._justified(n))]
        unsure = [n for n in others if told[n] is Outcome.INCONCLUSIVE]
        if low and unsure:
            shown = [n for n in others if n not in unsure]
            return [f"By {', '.join(map(_spoken, unsure))} it cannot be told.", *self._each(shown, told)]
        return self._each(others, told)

    def _each(self, names: list[str], told: Mapping[str, Outcome]) -> list[str]:
        lowest = sorted(names, key=self._lowest)
        return [f"{_spoken(n)}: {self._found(self.tests[n], told[n])}" for n in lowest]

    def _lowest(self, name: str) -> float:
        """Where a sentence is cut, the widest gap stands before the cut."""
        worst = self.tests[name].worst(self.limits.ratio)
        return worst.ratio if worst else math.inf

    def _found(self, t: AttributeTest, outcome: Outcome) -> str:
        limit, worst = self.limits.ratio, t.worst(self.limits.ratio)
        if worst is None:
            return f"no two groups are large enough to compare (n={t.households:,} {MANY}).{_aside(t, limit)}"
        ratio = f"{worst.ratio:.3g} [{worst.low:.3g}, {worst.high:.3g}], n={t.n:,} {MANY}"
        found = f"‘{t.worst_group or worst.group}’ would get the offer {ratio} times as often as the rest"
        said = {
            Outcome.FAILED: f"shown to be below {limit:g}.",
            Outcome.PASSED: f"shown to be above {limit:g}.",
            Outcome.INCONCLUSIVE: f"it cannot be told on which side of {limit:g}; {_settled(t)}.",
        }
        return f"{found}: {said[outcome]}{_aside(t, limit)}"

    def _way_out(self, low: list[str]) -> str:
        justifiable = [n for n in low if n in self.limits.justifiable]
        way = (
            "Declare a mitigated decision or another use in compliance/intended_use.yaml; what each would reach and "
            "cost is in notebooks/fairness.py. How often this test errs: docs/gates.md."
        )
        if not justifiable or set(low) != set(justifiable):
            return way
        return f"{way} By {', '.join(map(_spoken, justifiable))} it may be justified for a time: compliance/README.md."

    def _figures(self, names: list[str]) -> dict[str, Any]:
        each = [(t, t.worst(self.limits.ratio)) for t in (self.tests[n] for n in names)]
        found = [(t, w) for t, w in each if w is not None]
        told = about(self.evidence.fact(FACT), limit=self.limits.ratio)
        if not found:
            return {**told, "n": each[0][0].n}
        test, worst = min(
            found, key=lambda pair: (pair[1].outcome(self.limits.ratio) is not Outcome.FAILED, pair[1].ratio)
        )
        return {**told, "value": worst.ratio, "low": worst.low, "high": worst.high, "n": test.n}


def _tests(evidence: Evidence) -> dict[str, AttributeTest]:
    fact = evidence.fact(FACT)
    found = {}
    for name, raw in sorted((fact.value if fact and isinstance(fact.value, dict) else {}).items()):
        try:
            found[str(name)] = AttributeTest.model_validate(raw)
        except ValidationError:
            continue  # an entry that cannot be read is no test: the gate then answers missing
    return found


def _same_rule(rule: Any, limits: Limits) -> bool:
    """Levels and what is large enough hang on how many groups are judged, so the attributes must be the same."""
    return bool(_plain(rule) == {"attributes": sorted(limits.attributes), "ratio": limits.ratio, "alpha": limits.alpha})


def _part(fact: Fact, name: str) -> Any:
    return fact.value.get(name) if isinstance(fact.value, dict) else None


def _plain(value: Any) -> Any:
    """Tuples as lists, as they come back from a file."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _settled(t: AttributeTest) -> str:
    number = t.households_to_settle
    if number is None:
        return f"no number of {MANY} in sight would settle it"
    return f"about {number:,} {MANY}, reached as these, would settle it"


def _aside(t: AttributeTest, limit: float) -> str:
    small = [f"{g.group} ({g.n:,})" for g in t.reached if not g.enough and g.outcome(limit) is Outcome.INCONCLUSIVE]
    levels = [f"{level} ({n or HIDDEN})" for level, n in t.levels_set_aside.items()]
    return f" Too small to be told by themselves: {', '.join([*small, *levels])}." if small or levels else ""
