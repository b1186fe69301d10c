"""Justify, in writing and for a time, that a decision reaches a group less often: the way out of a failed gate.

Only for attributes that are no ground of discrimination under EU Charter art. 21: a difference by these may rest on a
legitimate aim, if it is appropriate and necessary (CJEU C-83/14 CHEZ, paras 117-118). Data owner and risk officer
sign; the data protection officer signs her advice and decides nothing (GDPR art. 38(6)).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Annotated, Any

from pydantic import Field, ValidationError

from twinops.entities.canonical import to_json
from twinops.entities.evidence import Evidence
from twinops.governance.assessment.wording import copied, empty, seen_words
from twinops.governance.people.offices import DATA_OWNER, DPO, RISK_OFFICER
from twinops.governance.reading import Record, Text, checked, parse

FOLDER, FACT, NAMESPACE = "justifications", "fairness_justifications", "twinops-justification"
SIGNERS = {"data-owner": DATA_OWNER, "risk-officer": RISK_OFFICER, "dpo": DPO}
"""Beginnings of the names of the signatures, and the office that each asks for."""
JUSTIFIABLE = ("income", "tenure")
"""No grounds of Charter art. 21. A list of what is allowed, because nobody can list what stands in for what is not."""
REACHED, FAMILY = "alternative_reach.", "fairness_family"
Reasoned = Annotated[str, Field(min_length=60, max_length=4_000)]
"""A sentence or two: less is no reason that somebody else could weigh; nor are dots, which `wording` sees."""


class Alternative(Record):
    """A less unequal decision that was measured, by the id of its evidence, and why it was not taken."""

    evidence: Annotated[str, Field(pattern=r"^ev-[0-9a-f]{12}$")]
    why_not: Reasoned


class WrittenJustification(Record):
    """What three people sign: for which attribute of which candidate, and why the difference may stand until when."""

    attribute: Text
    candidate: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    evidence: Annotated[str, Field(pattern=r"^ev-[0-9a-f]{12}$")]
    aim: Reasoned
    necessity: Reasoned
    alternatives: Annotated[tuple[Alternative, ...], Field(min_length=1)]
    advice: Reasoned
    data_owner: Text
    risk_officer: Text
    dpo: Text
    dated: date
    until: date

    def author(self, office: str) -> str:
        """Who signs for an office, by name."""
        return {DATA_OWNER: self.data_owner, RISK_OFFICER: self.risk_officer, DPO: self.dpo}[office]


class SubmittedJustification(WrittenJustification):
    """The same as it stands in the evidence: with what became of its signatures."""

    signed: bool
    problem: str = ""
    signatures: Mapping[str, Any] = Field(default_factory=dict)
    """By office: who signed with which key, for a registry that knows keys of its own."""


@dataclass(frozen=True)
class Weighed:
    """A justification of one attribute, and whether it counts; `problem` says why it does not."""

    said: SubmittedJustification
    problem: str

    @property
    def sentence(self) -> str:
        """For people."""
        s = self.said
        if self.problem:
            return f"A justification of {s.attribute} has no effect: {self.problem}."
        signed = f"signed by {s.data_owner} and {s.risk_officer}, advised by {s.dpo}"
        return f"By {s.attribute} it is below the limit, and justified until {s.until} ({signed}): {s.aim}"


def read(text: str, *, name: str) -> WrittenJustification:
    """One file.

    Raises:
        ParamsError: it holds mistakes; all are told together.
    """
    raw = parse(text, name=name)
    return checked(WrittenJustification, raw, name=name, more=_mistakes(raw))


def _mistakes(raw: Any) -> Iterator[str]:
    """Answers that say too little, or twice the same: they show that nobody thought."""
    if not isinstance(raw, Mapping):
        return
    said = {part: str(raw.get(part)) for part in ("aim", "necessity", "advice")}
    listed = [a for a in raw.get("alternatives") or () if isinstance(a, Mapping)]
    said |= {f"alternatives.{i}": str(a.get("why_not")) for i, a in enumerate(listed)}
    yield from (f"{part}: {why}" for part, text in said.items() if (why := empty(text)))
    if any(copied(seen_words(one), seen_words(other)) for one, other in combinations(said.values(), 2)):
        yield "two answers are the same text; each asks for another thing"


def weighed(evidence: Evidence, tests: str, *, at_most_days: int) -> dict[str, Weighed]:
    """Every justification by its attribute; `tests` is the id of the evidence that the gate judges by."""
    fact, found = evidence.fact(FACT), {}
    for raw in fact.value if fact and isinstance(fact.value, (list, tuple)) else ():
        try:
            one = SubmittedJustification.model_validate_json(to_json(raw))
        except (ValidationError, ValueError, TypeError):
            continue  # what cannot be read justifies nothing
        found[one.attribute] = Weighed(one, _problem(one, evidence, tests, at_most_days))
    return found


def _problem(one: SubmittedJustification, evidence: Evidence, tests: str, days: int) -> str:
    if one.attribute not in JUSTIFIABLE:
        return "this attribute is not justifiable"
    if not one.signed:
        return one.problem or "it is not signed"
    if (one.candidate, one.evidence) != (evidence.key, tests):
        return "it was written for another candidate or other evidence"
    return _out_of_time(one, evidence.judged_on, days) or _unanswered(one, evidence)


def _out_of_time(one: WrittenJustification, today: date | None, days: int) -> str:
    if not 0 <= (one.until - one.dated).days <= days:
        return f"the policy allows at most {days} days"
    if today is None:
        return "it counts on a day, and this evidence names none"
    return "" if one.dated <= today <= one.until else f"it does not hold on {today}"


def _unanswered(one: WrittenJustification, evidence: Evidence) -> str:
    """Of every kind of decision that was measured to be less unequal, one must be named with why it is not taken."""
    rows = {f"{REACHED}{row.get('name')}": row for row in _family(evidence)}
    named = {m.name for m in evidence.measures if m.id in {a.evidence for a in one.alternatives}}
    if not named or not named <= rows.keys():
        return "its alternatives are not evidence of measured decisions"
    own = _own(evidence, one.attribute)
    better = {name: row for name, row in rows.items() if _ratio(row, one.attribute) > own}
    if not named <= better.keys():
        return "an alternative that it names is not less unequal"
    left = {str(row.get("kind")) for row in better.values()} - {str(better[name].get("kind")) for name in named}
    return f"it does not say why these were not taken: {', '.join(sorted(left)).replace('_', ' ')}" if left else ""


def less_unequal(evidence: Evidence, attribute: str) -> tuple[str, ...]:
    """Of every kind of decision measured to be less unequal, the id of the one that costs least."""
    rows = [row for row in _family(evidence) if _ratio(row, attribute) > _own(evidence, attribute)]
    cheapest = {str(row.get("kind")): row for row in sorted(rows, key=_price, reverse=True)}
    found = [evidence.measure(f"{REACHED}{row.get('name')}") for row in cheapest.values()]
    return tuple(sorted(m.id for m in found if m is not None))


def _own(evidence: Evidence, attribute: str) -> float:
    """The ratio of the decision as declared."""
    return _ratio(next((row for row in _family(evidence) if row.get("name") == "declared"), None), attribute)


def _price(row: Mapping[str, Any]) -> float:
    price = row.get("price")
    return float(price["value"]) if isinstance(price, Mapping) else 0.0


def _family(evidence: Evidence) -> list[Mapping[str, Any]]:
    fact = evidence.fact(FAMILY)
    rows = fact.value.get("rows") if fact and isinstance(fact.value, Mapping) else ()
    return [row for row in rows or () if isinstance(row, Mapping)]


def _ratio(row: Mapping[str, Any] | None, attribute: str) -> float:
    ratios = row.get("ratios") if row else None
    found = ratios.get(attribute) if isinstance(ratios, Mapping) else None
    return float(found) if isinstance(found, (int, float)) else 0.0
