"""What a gate answers: passed, failed, inconclusive, missing or not applicable. Only passed passes by itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from twinops.entities.fact import Fact
from twinops.entities.measure import Measure


class Outcome(StrEnum):
    """The five answers."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    MISSING = "missing"
    NOT_APPLICABLE = "not applicable"

    @property
    def style(self) -> str:
        """One word, as style sheets name it."""
        return self.value.replace(" ", "-")


@dataclass(frozen=True)
class Verdict:
    """One gate's answer with its reason.

    `sentence` is for a person and holds the numbers with their doubt; `next` says what to do; `rule` is the article or
    paper; `evidence` is the id of what was judged. `gate` and `rule` are stamped by `decide`.
    """

    outcome: Outcome
    sentence: str
    next: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | str | None = None
    n: int | None = None
    evidence: str | None = None
    rule: str = ""
    gate: str = ""

    def stamped(self, *, gate: str, rule: str) -> Verdict:
        """The same answer, under the name the policy calls it by and with the rule it comes from."""
        return replace(self, gate=gate, rule=rule)

    def to_dict(self) -> dict[str, Any]:
        """The shape of `twinops status --json`: the gate's name is called `id`."""
        raw = asdict(self)
        return {"id": raw.pop("gate"), **raw, "outcome": self.outcome.value}


def about(item: Measure | Fact | None, *, limit: float | str | None = None) -> dict[str, Any]:
    """The figures of a measure, as keywords for the answers below.

    >>> about(Measure("gap", 0.06, n=801, source="s", method="m", low=0.01, high=0.13), limit=0.1)["high"]
    0.13
    """
    if isinstance(item, Measure):
        figures = {name: getattr(item, name) for name in ("value", "low", "high", "n")}
        return {**figures, "evidence": item.id, "limit": limit}
    return {"evidence": item.id if item else None, "limit": limit}


def passed(sentence: str, next: str = "", **figures: Any) -> Verdict:  # noqa: A002
    """The stated condition is met."""
    return Verdict(Outcome.PASSED, sentence, next, **figures)


def failed(sentence: str, next: str, **figures: Any) -> Verdict:  # noqa: A002
    """The stated condition is not met."""
    return Verdict(Outcome.FAILED, sentence, next, **figures)


def inconclusive(sentence: str, next: str, **figures: Any) -> Verdict:  # noqa: A002
    """The evidence is there and cannot tell; a named human's written decision is needed."""
    return Verdict(Outcome.INCONCLUSIVE, sentence, next, **figures)


def missing(sentence: str, next: str, **figures: Any) -> Verdict:  # noqa: A002
    """What should be judged is not there."""
    return Verdict(Outcome.MISSING, sentence, next, **figures)


def not_applicable(sentence: str, **figures: Any) -> Verdict:
    """There is nothing of what would be judged, and the evidence holds the fact that says so.

    Never by silence: evidence that is not there is *missing*. Whether it stands in the way says the policy.
    """
    then = "Nothing; whether it blocks all the same says `not_applicable` of this gate in compliance/policy.yaml."
    return Verdict(Outcome.NOT_APPLICABLE, sentence, then, **figures)
