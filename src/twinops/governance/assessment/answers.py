"""One person's answer to one question of the impact assessment: a file of `compliance/dpia/` that the person owns.

The digest binds the answer to its question and author. Advice and decision also say what they were given for: the
description that was assessed, and the answers of the others. Change either, and they no longer stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from twinops.entities.canonical import digest
from twinops.governance.assessment import questions as dpia
from twinops.governance.reading import Record, Text, checked, parse

NAMESPACE = "twinops-dpia"
"""What ssh keys sign answers for."""
ADVICE, DECISION = "dpo_advice", "decision"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ORDER = ("field", "question", "by", "dated", "answer", "given_for", "digest")


class GivenFor(Record):
    """What advice or a decision speaks about: the description assessed, and the digest of every answer before it."""

    assessed: Sha256
    answers: dict[str, Sha256]


class GivenAnswer(Record):
    """The whole file."""

    field: Literal[dpia.HUMAN]  # type: ignore[valid-type]
    question: Text
    by: Annotated[str, Field(min_length=2, max_length=120)]
    dated: date
    answer: dict[str, Any]
    given_for: GivenFor | None = None
    digest: Sha256

    @property
    def intact(self) -> bool:
        """The digest fits: nothing was changed since the person gave the answer."""
        return self.digest == self.made_digest

    @property
    def made_digest(self) -> str:
        """What the digest should be."""
        return digest(self.model_dump(mode="json", exclude={"digest"}))

    @property
    def filled(self) -> dict[str, Any]:
        """The answer's parts with name and day, as the assessment's field takes them."""
        return {**self.answer, "by": self.by, "dated": self.dated}


def read(text: str, *, field: str) -> GivenAnswer:
    """The file of one field.

    Raises:
        ParamsError: not YAML, an unknown key, another field's answer; all mistakes together.
    """
    name = f"{dpia.ANSWERS}/{field}.yaml"
    given = checked(GivenAnswer, parse(text, name=name), name=name)
    return checked(GivenAnswer, given.model_dump(), name=name, more=_mistakes(given, field))


def written(given: GivenAnswer) -> str:
    """The file's text, the same for the same answer."""
    raw = given.model_dump(mode="json", exclude_none=True)
    raw["dated"] = given.dated
    body = yaml.safe_dump({k: raw[k] for k in ORDER if k in raw}, sort_keys=False, allow_unicode=True, width=110)
    owner = " ".join(given.by.split())
    return f"# Owned by {owner}, who answered. Change it with `twinops dpia answer`, then sign again.\n{body}"


def give(field: str, question: str, answer: Mapping[str, Any], **who: Any) -> GivenAnswer:
    """A new answer with its digest; `who` holds `by`, `dated` and, for advice and decision, `given_for`."""
    blank = GivenAnswer(field=field, question=question, answer=dict(answer), digest="0" * 64, **who)
    return blank.model_copy(update={"digest": blank.made_digest})


def before(field: str, answers: Mapping[str, GivenAnswer]) -> dict[str, str]:
    """Digests of the answers that this one follows: advice follows all others, the decision the advice too."""
    after = {ADVICE: {ADVICE, DECISION}, DECISION: {DECISION}}[field]
    return {name: given.digest for name, given in sorted(answers.items()) if name not in after}


def _mistakes(given: GivenAnswer, field: str) -> Any:
    if given.field != field:
        yield f"field: this file answers {given.field}"
    known = dpia.parts(given.field)
    yield from (f"answer.{part}: not asked; choose of {', '.join(known)}" for part in given.answer if part not in known)
