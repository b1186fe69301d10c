"""What keeps an answer from being one: it says too little or the same twice, comes too early, or ignores findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import combinations
from typing import Any

from twinops.governance.assessment.answers import ADVICE, DECISION, GivenAnswer
from twinops.governance.assessment.questions import HIGH
from twinops.governance.assessment.reopening import MONTHS, too_old
from twinops.governance.assessment.wording import copied, empty, repeats, seen_words

AGAINST = "unfavourable"
APPROVALS = ("approve", "approve_with_conditions")


def too_thin(answer: Mapping[str, Any]) -> dict[str, str]:
    """Parts in words that say nothing, each with why.

    >>> too_thin({"answer": ".", "severity": 2, "reasons": "Nobody is charged more and offers stay within limits."})
    {'answer': 'says too little'}
    """
    written = {part: said for part, said in answer.items() if part in WORDS and isinstance(said, str)}
    return {part: why for part, said in written.items() if (why := empty(said))}


WORDS = frozenset({"answer", "justification", "measures", "reasons", "impacts", "threats", "sources"})
"""Parts that are answered in words; levels, stances and conclusions are chosen."""


def against(answers: Mapping[str, GivenAnswer], failed: Mapping[str, Any]) -> Iterator[str]:
    """Why these answers, taken together, carry no approval. `failed`: gate -> the risks that it speaks to."""
    yield from (f"{name} {why} in {part}" for name, g in answers.items() for part, why in thin_in(g).items())
    yield from _copied(answers)
    yield from _out_of_order(answers)
    yield from _unexplained(answers, failed)
    yield from _overruled(answers)


def thin_in(given: GivenAnswer) -> dict[str, str]:
    """Parts of an answer that say nothing, each with why; a conclusion is chosen, its reasons are written."""
    return too_thin({p: said for p, said in given.answer.items() if (given.field, p) != (DECISION, "answer")})


def ahead(dated: Mapping[str, date | None], today: date) -> tuple[str, ...]:
    """Answers that carry a day which has not come."""
    return tuple(f"{name} is dated {day}, which has not come" for name, day in dated.items() if day and day > today)


def _copied(answers: Mapping[str, GivenAnswer]) -> Iterator[str]:
    """The same words for two questions, or a question for an answer."""
    texts = {key: seen_words(said) for key, said in written_parts(answers).items() if not empty(said)}
    for (one, first), (other, second) in combinations(texts.items(), 2):
        if copied(first, second):
            yield f"{' '.join(other)} repeats {' '.join(one)}"
    questions = {name: seen_words(given.question) for name, given in sorted(answers.items())}
    for (name, part), said in texts.items():
        asked = next((q for q in sorted(questions, key=lambda q: q != name) if repeats(said, questions[q])), None)
        if asked:
            yield f"{name} {part} repeats the question{'' if asked == name else f' of {asked}'}"


def written_parts(answers: Mapping[str, GivenAnswer]) -> dict[tuple[str, str], str]:
    """Everything that was written in words, by question and part; a conclusion is chosen."""
    return {
        (name, part): said
        for name, given in sorted(answers.items())
        for part, said in given.answer.items()
        if part in WORDS and (name, part) != (DECISION, "answer") and isinstance(said, str)
    }


def _out_of_order(answers: Mapping[str, GivenAnswer]) -> Iterator[str]:
    """Advice follows the answers, the decision follows the advice: by their days as by what they were given for."""
    advice, decision = answers.get(ADVICE), answers.get(DECISION)
    for name, given in sorted(answers.items()):
        if advice and name not in (ADVICE, DECISION) and given.dated > advice.dated:
            yield f"{ADVICE} is dated {advice.dated}, before {name} of {given.dated}"
        if decision and too_old(given.dated, decision.dated):
            yield f"{name} is dated {given.dated}, more than {MONTHS} months before {DECISION} of {decision.dated}"
    if advice and decision and decision.dated < advice.dated:
        yield f"{DECISION} is dated {decision.dated}, before {ADVICE} of {advice.dated}"


def _unexplained(answers: Mapping[str, GivenAnswer], failed: Mapping[str, Any]) -> Iterator[str]:
    """A risk called low beside a gate that failed for it says why, by the gate's name."""
    for gate, risks in sorted(failed.items()):
        for name in risks:
            given = answers.get(name)
            if (
                given
                and not _high(given.answer)
                and gate.casefold() not in str(given.answer.get("justification")).casefold()
            ):
                yield f"{name} is rated low although the gate {gate} failed, and its justification does not name it"


def _high(answer: Mapping[str, Any]) -> bool:
    """Both important or worse before the measures, and both after them."""
    pairs = (("severity", "likelihood"), ("residual_severity", "residual_likelihood"))
    return all(min(_level(answer.get(a)), _level(answer.get(b))) >= HIGH for a, b in pairs)


def _level(said: Any) -> int:
    return said if isinstance(said, int) else 0


def _overruled(answers: Mapping[str, GivenAnswer]) -> Iterator[str]:
    """An approval against the advice gives reasons that speak of the advice (art. 35(2); WP 243 rev.01)."""
    advice, decision = answers.get(ADVICE), answers.get(DECISION)
    if not advice or not decision or decision.answer.get("answer") not in APPROVALS:
        return
    stance, reasons = advice.answer.get("stance"), str(decision.answer.get("reasons")).casefold()
    departs = stance == AGAINST or (stance == "with_conditions" and decision.answer["answer"] == "approve")
    if departs and "advice" not in reasons and advice.by.casefold() not in reasons:
        said = str(stance).replace("_", " ")
        yield f"{DECISION} departs from advice that was {said}, and its reasons do not speak of it"
