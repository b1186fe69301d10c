"""What an approval of the impact assessment is given for: the description, reduced to what art. 35(11) watches."""

from __future__ import annotations

from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Kind
from twinops.entities.verdict import Outcome
from twinops.governance.gates._shelf import of
from twinops.governance.policy.decide import Decision
from twinops.governance.policy.limits import Policy

SCHEMA = "twinops.assessed/2"
_SOURCE = ("columns", "personal_data", "bases", "retention_days", "controller", "collected_from")
_PURPOSE = ("dpv", "legal_basis")
_DECISION = (
    "name", "score", "share", "mitigation", "population", "effect", "solely_automated",
    "legal_or_similarly_significant_effect", "recipient_draws_strongly_on_score",
)  # fmt: skip
_SPECIAL = ("Health", "Religion", "Political", "Ethnic", "Sexual")
NOT_WATCHED = {
    "ai_act_classification": "computed from ai_act_facts and the law of a moving day; its class is watched",
    "consumer_law_duties": "computed from the declared facts and the same day; the facts are watched",
}
"""Declared facts that do not reopen an approval, each with its reason. Whatever is not listed here does."""
_PERIOD = ("version", "valid_from", "valid_until")
"""Of the policy; a new version is a trigger of its own, and a longer period loosens nothing."""
_SENSITIVE = ("special_category_large_scale", "special_or_highly_personal")


def description(evidence: Evidence, decision: Decision, rules: Policy) -> dict[str, Any]:
    """Sources, purposes, recipients, periods, decision, model, scale, failures, all that is declared, as JSON values.

    What evidence does not hold stands as null, so that its arrival later counts as a change.
    """
    actors = _table(evidence, "dpia.declared.actors")
    return {
        "schema": SCHEMA,
        "policy_version": decision.policy_version,
        "sources": {f.name.removeprefix("source."): _picked(f.value, _SOURCE) for f in evidence.sources},
        "purposes": {n: _picked(p, _PURPOSE) for n, p in _table(evidence, "intended_use.purposes").items()},
        "secondary_use": _value(evidence, "dpia.declared.secondary_use"),
        "recipients": sorted(map(str, actors.get("recipients") or ())),
        "processors": sorted(map(str, actors.get("processors") or ())),
        "transfers": _value(evidence, "dpia.declared.transfers"),
        "decision": _picked(_value(evidence, "intended_use.decision"), _DECISION),
        "model": _value(evidence, "model.family"),
        "subjects": _table(evidence, "population.panel").get("households_in_sources"),
        "groups": _groups(evidence),
        "special_categories": _special(evidence),
        "failing": sorted(v.gate for v in decision.verdicts if v.outcome is Outcome.FAILED and of(v, "WATCHED")),
        "incidents": [str(i.get("what")) for i in _rows(evidence, "dpia.declared.incidents")],
        "erasure_failures": _value(evidence, "erasure_failures"),
        "failed": {v.gate: list(of(v, "RISKS") or ()) for v in decision.verdicts if v.outcome is Outcome.FAILED},
        "declared": _declared(evidence, rules),
    }


def _declared(evidence: Evidence, rules: Policy) -> dict[str, Any]:
    """Every declared fact but those listed as not watched, the class of the use, and what the policy says."""
    said = {f.name: _json(f.value) for f in evidence.facts if f.kind is Kind.DECLARED and f.name not in NOT_WATCHED}
    use = {"ai_act_class": _table(evidence, "ai_act_classification").get("class")}
    return {**said, **use, "policy": {n: v for n, v in rules.model_dump(mode="json").items() if n not in _PERIOD}}


def _special(evidence: Evidence) -> list[str]:
    """Special categories that are held, declared as inferred, or predicted better than an ordinary habit."""
    predicted = [
        m.name.split(".")[1]
        for m in evidence.starting("proxy.")
        if m.name.endswith(".excess") and m.low is not None and m.low > 0
    ]
    answered = _table(evidence, "dpia.need").get("answers") or {}
    met = [n for n in _SENSITIVE if answered.get(n) == "true"]
    sources = [f.name for f in evidence.sources if any(w in str(f.value.get("personal_data")) for w in _SPECIAL)]
    return sorted({*predicted, *met, *sources})


def _groups(evidence: Evidence) -> list[str]:
    """Age groups that are assessed, and whether the use reaches the EU: a new one is another population."""
    levels = _table(evidence, "intended_use.fairness").get("attributes")
    age = levels.get("age") if isinstance(levels, dict) else None
    ages = [f"age {level}" for level in (age or {}).get("ordered") or ()]
    nexus = _table(evidence, "ai_act_facts").get("eu_nexus")
    return [*ages, f"used in the EU: {nexus.get('value') if isinstance(nexus, dict) else 'unknown'}"]


def _rows(evidence: Evidence, name: str) -> list[dict[str, Any]]:
    value = _value(evidence, name)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _value(evidence: Evidence, name: str) -> Any:
    return _json(evidence.value(name))


def _table(evidence: Evidence, name: str) -> dict[str, Any]:
    value = _value(evidence, name)
    return value if isinstance(value, dict) else {}


def _picked(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {n: _json(value.get(n)) for n in names} if isinstance(value, dict) else {}


def _json(value: Any) -> Any:
    """Tuples as lists, as they come back from a file."""
    if isinstance(value, dict):
        return {str(k): _json(v) for k, v in value.items()}
    return [_json(v) for v in value] if isinstance(value, (list, tuple)) else value
