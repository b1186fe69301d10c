"""Whether the pipeline ran as a trial: nobody has said yet on which legal basis the data are used."""

from __future__ import annotations

from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.verdict import Verdict, about, missing

FACT = "legal_basis_open"
"""By source of one's own, the legal facts that nobody has said yet."""
SAID, ELSE = "Trial: no legal basis has been said", "Trial: not every legal fact has been said"


def trial(evidence: Evidence) -> Fact | None:
    """The fact that says for which sources no basis was said; None: each has one, or nothing is said of it."""
    fact = evidence.fact(FACT)
    return fact if fact is not None and fact.value not in (None, False, (), [], {}, "") else None


def sentence(fact: Fact) -> str:
    """For people."""
    told = fact.value if isinstance(fact.value, dict) else {}
    alike: dict[str, list[str]] = {}
    for name, facts in sorted(told.items()):
        alike.setdefault(", ".join(_parts(facts)), []).append(f"own.{name}")
    named = "; ".join(f"{', '.join(sources)}: {facts}" for facts, sources in alike.items())
    without = ", ".join(f"own.{name}" for name, facts in sorted(told.items()) if "bases" in _parts(facts))
    what = f"{SAID} for {without}" if without else ELSE if told else SAID
    return f"{what}{f' (open: {named})' if named else ''}; nothing may be promoted (GDPR arts. 5(2), 6(1))."


def unsaid(evidence: Evidence) -> Verdict | None:
    """The answer of a gate that needs a basis, where none was said; None: go on and judge."""
    fact = trial(evidence)
    if fact is None:
        return None
    return missing(
        sentence(fact),
        "The controller says it under `legal` of each source in params.yaml: on which basis of GDPR art. 6(1) each "
        "purpose rests, who is the controller, which notice was given, how long rows are kept; then `make run`.",
        **about(fact),
    )


def _parts(facts: Any) -> list[str]:
    return list(map(str, facts)) if isinstance(facts, (list, tuple)) else [str(facts)]
