"""Which consumer-law duties and bars follow from the declared facts; what is unknown stays open."""

from __future__ import annotations

from typing import Any

from twinops.governance.law.ai_act import Facts, names, truth
from twinops.governance.reading import law

ASKS = {
    "block": "nothing may go live where it holds",
    "human_review": "a person looks at it before it goes live",
}
"""What a rule without a duty in words asks, by its outcome."""


def asked(duty: dict[str, Any]) -> str:
    """What a duty, as `duties` returns it, asks for, in words.

    >>> asked({"duty": "", "outcome": "block"})
    'nothing may go live where it holds'
    """
    return str(duty.get("duty") or ASKS.get(str(duty.get("outcome")), duty.get("outcome")))


def duties(facts: Facts) -> list[dict[str, Any]]:
    """Rules of `law/consumer_rules.yaml` that hold or are open, with what to do or what to answer."""
    return [found for rule in law("consumer_rules")["rules"] if (found := _judged(rule, facts))]


def _judged(rule: dict[str, Any], facts: Facts) -> dict[str, Any] | None:
    condition = {"all": rule["when"]}
    holds = truth(condition, facts)
    if holds is False:
        return None
    to_answer = [] if holds else [name for name in names(condition) if facts.get(name) is None]
    return {
        "rule": rule["id"],
        "outcome": rule["outcome"],
        "cite": rule["cite"],
        "duty": rule.get("duty", ""),
        "holds": "true" if holds else "unknown",
        "to_answer": to_answer,
    }
