"""Classify a use under the AI Act from declared tri-state facts; what is unknown never clears.

The rules are data (`law/ai_act.yaml`, in our own words, not legal advice) with the day each applies from. The class
is what the system *is*; whether its duties bind already is said beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from twinops.governance.reading import law

Facts = Mapping[str, bool | None]
"""Answers by name; None: unknown. A name that is not in it is unknown too."""

RANKS = ("minimal", "transparency", "annex_iii_derogated", "human_review", "high_risk", "prohibited")
"""Classes from light to grave. Other outcomes of rules (literacy, fria) are duties beside the class."""

MEANS = {
    "out_of_scope": "the declared facts put the system outside the Act",
    "minimal": "no rule of the Act beyond the duties listed was found to hold",
    "transparency": "persons must be told",
    "annex_iii_derogated": "listed in Annex III with a claimed derogation, to be documented and registered",
    "human_review": "a person must justify the use before it goes on",
    "high_risk": "the duties of high-risk systems, each from its day on",
    "prohibited": "the practice is prohibited",
    "undetermined": "an unanswered fact could make it graver; it is not cleared",
}


@dataclass(frozen=True)
class RuleOutcome:
    """One rule that holds (`holds` True) or that an unknown fact leaves open (`holds` None)."""

    rule: str
    outcome: str
    cite: str
    since: date
    holds: bool | None
    duties: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    spared_until: date | None = None
    """Systems on the market before the rule applied have until then."""


@dataclass(frozen=True)
class Classification:
    """The class, the rules behind it, and the facts that must be answered before it can be lighter or certain."""

    outcome: str
    found: tuple[RuleOutcome, ...]
    to_answer: tuple[str, ...]

    def to_dict(self, *, on: date) -> dict[str, Any]:
        """For a Fact: what holds, since when, whether it binds on that day, and what is open."""
        return {
            "class": self.outcome,
            "means": MEANS[self.outcome],
            "law_as_of": on.isoformat(),
            "rules": [
                {
                    "rule": f.rule,
                    "outcome": f.outcome,
                    "cite": f.cite,
                    "applies_from": f.since.isoformat(),
                    "applies": f.since <= on,
                    "spared_until": f.spared_until.isoformat() if f.spared_until else None,
                    "holds": {True: "true", None: "unknown"}[f.holds],
                    "duties": list(f.duties),
                }
                for f in self.found
            ],
            "to_answer": list(self.to_answer),
        }


def truth(condition: Any, facts: Facts) -> bool | None:
    """Three-valued truth (Kleene) of a fact's name or of all, any, not; None: cannot be known.

    >>> truth({"all": ("a", "b")}, {"a": False}), truth({"all": ("a", "b")}, {"a": True})
    (False, None)
    """
    if isinstance(condition, str):
        return facts.get(condition)
    if "not" in condition:
        inner = truth(condition["not"], facts)
        return None if inner is None else not inner
    whole, decisive = ("all", False) if "all" in condition else ("any", True)
    parts = [truth(part, facts) for part in condition[whole]]
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def classify(facts: Facts, rules: tuple[dict[str, Any], ...] | None = None) -> Classification:
    """Apply every rule in order. Out of scope and prohibited end the matter; else the gravest class that holds wins.

    When a graver rule is left open by an unknown fact, the answer is *undetermined*.
    """
    known = dict(facts)
    found: list[RuleOutcome] = []
    for rule in law("ai_act")["rules"] if rules is None else rules:
        holds = truth(rule["when"], known)
        if "sets" in rule:
            known[rule["sets"]] = holds
        elif holds is not False:
            found.append(_found(rule, holds, known))
        if holds and rule.get("outcome") in ("out_of_scope", "prohibited"):
            break
    return _concluded(tuple(found))


def _concluded(found: tuple[RuleOutcome, ...]) -> Classification:
    held = [f.outcome for f in found if f.holds]
    if "out_of_scope" in held:
        return Classification("out_of_scope", found, ())
    gravest = max((RANKS.index(o) for o in held if o in RANKS), default=0)
    graver = [f for f in found if f.holds is None and f.outcome in RANKS[gravest + 1 :]]
    to_answer = tuple(sorted({name for f in found if f.holds is None for name in f.unknown}))
    return Classification("undetermined" if graver else RANKS[gravest], found, to_answer)


def _found(rule: dict[str, Any], holds: bool | None, known: Facts) -> RuleOutcome:
    open_facts = tuple(name for name in names(rule["when"]) if known.get(name) is None) if holds is None else ()
    return RuleOutcome(
        rule["id"],
        rule["outcome"],
        rule["cite"],
        rule["from"],
        holds,
        duties=tuple(rule.get("duties", ())),
        unknown=open_facts,
        spared_until=rule.get("legacy_until"),
    )


def names(condition: Any) -> tuple[str, ...]:
    """Facts a condition asks about, in order."""
    if isinstance(condition, str):
        return (condition,)
    parts = [condition["not"]] if "not" in condition else condition.get("all", condition.get("any"))
    return tuple(name for part in parts for name in names(part))
