"""All gates, and what each says of itself beside its verdict: each gate is one module, and nothing lists them."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

from twinops import plugins
from twinops.entities.evidence import Evidence
from twinops.entities.shown import Section
from twinops.entities.verdict import Verdict
from twinops.ideas import KINDS

SHELF = "twinops.governance.gates"
PROMISES = KINDS["gates"].promises
"""What every module on the shelf of gates has."""


def gates() -> tuple[ModuleType, ...]:
    """Every gate by the alphabet, and behind them the project's own: none of those answers for a shipped one."""
    return _gates(plugins.laid(SHELF))


@cache
def _gates(_of_the_project: plugins.Laid) -> tuple[ModuleType, ...]:
    own = [idea.name for idea in plugins.laid(SHELF)]
    return tuple(plugins.load(SHELF, name) for name in (*plugins.shipped(SHELF), *own))


def of(verdict: Verdict, name: str) -> Any:
    """What the gate that gave this verdict says under this name; None when it says nothing.

    A policy may call a gate by any id, and two entries may be of one gate; each gate has a rule of its own.
    """
    return next((getattr(gate, name, None) for gate in gates() if verdict.rule == gate.RULE), None)


def speaking_to(item: str) -> tuple[str, ...]:
    """Beginnings of the names of evidence that gates judge by and that speaks to an item of a law."""
    return tuple(name for gate in gates() for name in getattr(gate, "SPEAKS_TO", {}).get(item, ()))


def told_in(section: Section, evidence: Evidence) -> tuple[Any, ...]:
    """What gates add to a section of the model card, each line with its citation."""
    told = (line for gate in gates() if getattr(gate, "SECTION", None) is section for line in gate.told(evidence))
    return evidence.wording.told(tuple(told))


def in_brief(evidence: Evidence) -> tuple[str, ...]:
    """Sentences that gates put on the page of ten minutes, whatever their verdicts."""
    told = (gate.IN_BRIEF(evidence) for gate in gates() if hasattr(gate, "IN_BRIEF"))
    return evidence.wording.told(tuple(sentence for sentence in told if sentence))


def looked_up_later() -> frozenset[str]:
    """What gates advise that cannot be judged while the documents are written."""
    return frozenset(gate.LATER for gate in gates() if hasattr(gate, "LATER"))
