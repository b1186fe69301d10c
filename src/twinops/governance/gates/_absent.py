"""What a project has nothing of, by facts that say so. Silence says nothing: without a fact a gate says *missing*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind

SOURCE, MEASURED = "source_absent.", ("quality_sources", "measured")
"""A fact for each source that was off or not declared, as its counts tell; and the sources of which rows were read."""
PROFILES = "demographics"
"""The source whose columns say who is in which group."""
UNDECLARED = "purposes_undeclared"
"""Purposes that the receipt lines do not serve, each with why."""
TO_DECLARE = "purposes_to_declare"
"""Where in `params.yaml` each of them would be declared, key by key."""
OFFERS, ASSESSMENT = "offers", "bias_assessment"
COLUMNS = "profile_columns"
"""What the source of profiles declares for assessing bias: by column, the levels in order or none."""


def absent(evidence: Evidence, *sources: str) -> tuple[Fact, ...]:
    """A fact for each of these sources that says why there is nothing of it; empty: not of all, or rows were read."""
    read = evidence.value(*MEASURED)
    facts = [evidence.fact(SOURCE + name) for name in sources]
    known = tuple(f for f in facts if f is not None and f.kind is Kind.MEASURED and _why(f))
    told_otherwise = not isinstance(read, (list, tuple)) or bool(set(map(str, read)) & set(sources))
    return known if len(known) == len(sources) and not told_otherwise else ()


def in_words(facts: tuple[Fact, ...]) -> str:
    """Which sources are not there and why, each reason once."""
    named: dict[str, list[str]] = {}
    for fact in facts:
        named.setdefault(_why(fact), []).append(fact.name.removeprefix(SOURCE).replace("_", " "))
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in named.items())


def undeclared(evidence: Evidence, purpose: str) -> Fact | None:
    """The fact that says why the receipt lines do not serve a purpose; None: they do, or nobody said."""
    fact = evidence.fact(UNDECLARED)
    return fact if fact is not None and isinstance(evidence.table(UNDECLARED).get(purpose), str) else None


def unserved(evidence: Evidence) -> tuple[str, ...]:
    """Why nobody may be contacted, or assessed, where a purpose is not declared: a sentence for each."""
    told = (evidence.table(UNDECLARED)[p] for p in (OFFERS, ASSESSMENT) if undeclared(evidence, p))
    return tuple(f"{why[:1].upper()}{why[1:]}." for why in told)


def declaring(evidence: Evidence) -> str:
    """How to declare what nobody may be contacted, or assessed, without; empty: that stands in no way."""
    told = evidence.table(TO_DECLARE)
    said = []
    for purpose in (OFFERS, ASSESSMENT):
        keys = told.get(purpose) if undeclared(evidence, purpose) or purpose == ASSESSMENT else None
        if isinstance(keys, (list, tuple)) and keys:
            bases, columns = (
                [str(k) for k in keys if ".bases." in str(k)],
                [str(k) for k in keys if ".bases." not in str(k)],
            )
            basis = [f"the basis in {' and '.join(bases)} (consent, contract or legitimate_interest)"] if bases else []
            said.append(f"for {purpose} {'; '.join([*basis, *(f'add it to the list {c}' for c in columns)])}")
    return f"Say in params.yaml {'; '.join(said)}. Then `make run`." if said else ""


def held(evidence: Evidence) -> dict[str, Any] | None:
    """Columns of profiles that are declared for assessing bias, with their levels; None: the evidence does not say."""
    value = {} if absent(evidence, PROFILES) else evidence.value(COLUMNS)
    return value if isinstance(value, dict) else None


def not_held(names: Sequence[str], evidence: Evidence) -> str:
    """What a policy names and nobody holds, in a sentence that says what is held."""
    columns = ", ".join(sorted(held(evidence) or {})).replace("_", " ") or "none"
    named = ", ".join(names).replace("_", " ")
    return f"The policy names {named}, and no column of the profiles holds it; held for assessing bias: {columns}."


def _why(fact: Fact) -> str:
    why = fact.value.get("why") if isinstance(fact.value, dict) else None
    return why if isinstance(why, str) else ""
