"""Workflows for tests, supplied as a project supplies them: ports by name, sections of `params.yaml` by their type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import date
from typing import Any, get_type_hints

from twinops.adapters.memory.persons import MemoryPersons
from twinops.entities.day_count import DayCount
from twinops.params import section_names
from twinops.ports import Engine, KeyStore, Persons
from twinops.wiring import injected
from twinops.workflows.places import Places

PORTS = {"places": Places, "engine": Engine, "keys": KeyStore, "as_of": date, "days": DayCount, "persons": Persons}
DAYS = DayCount(date(2017, 1, 1))
"""How days count where a test does not say."""


def supplied(workflow: Callable[..., Any], *first: Any, **given: Any) -> Any:
    """Call a workflow; records among its type hints are made of what is given, the rest are its own arguments."""
    if places := [value for value in first if isinstance(value, Places)]:
        given["places"] = places[0]
    ready: dict[Any, Any] = {DayCount: DAYS, Persons: MemoryPersons()}
    ready |= {kind: given[name] for name, kind in PORTS.items() if name in given}
    ready |= {type(value): value for value in given.values() if type(value) in section_names()}
    hints = {name: hint for name, hint in get_type_hints(workflow).items() if name != "return"}
    made_of = {name: made(hint, ready) for name, hint in hints.items() if injected(hint) and can(hint, ready)}
    own = {n: v for n, v in given.items() if n not in PORTS and type(v) not in section_names()}
    return workflow(*(value for value in first if not isinstance(value, Places)), **own, **made_of)


def made(hint: Any, ready: dict[Any, Any]) -> Any:
    """A port or section, or a record of them; fields that have a default need not be ready."""
    if hint in ready:
        return ready[hint]
    kinds = get_type_hints(hint)
    return hint(**{f.name: made(kinds[f.name], ready) for f in fields(hint) if can(kinds[f.name], ready)})


def can(hint: Any, ready: dict[Any, Any]) -> bool:
    """Whether enough is given to make it."""
    if hint in ready:
        return True
    if hint in section_names() or not injected(hint) or not hasattr(hint, "__dataclass_fields__"):
        return False
    kinds = get_type_hints(hint)
    return all(can(kinds[f.name], ready) for f in fields(hint) if f.default is MISSING)
