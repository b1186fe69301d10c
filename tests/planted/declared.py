"""Faults in what is declared: every leaf of every file of `compliance/` and of every source, after approval."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from types import ModuleType
from typing import Any

import yaml

from planted.desk import Desk
from planted.trial import Fault
from twinops import plugins
from twinops.data.own_sources.law import SOURCES
from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.legal import LegalFacts

Path = tuple[str | int, ...]
NOT_REOPENED: dict[tuple[str, str], str] = {
    ("offices.yaml", "version"): "a label; who holds which office is compared, not what the list is called",
    (
        "offices.yaml",
        "protected_aliases",
    ): "a registry works with the offices file that it activated, never with this one",
    ("offices.yaml", "approval_days"): "a registry works with the offices file that it activated, never with this one",
    ("offices.yaml", "gate_runners"): "a registry works with the offices file that it activated, never with this one",
    ("offices.yaml", "people"): "who signed nothing here; a signer's line is tried apart",
    ("policy.yaml", "valid_from"): "still in force on the day of judging",
    ("policy.yaml", "valid_until"): "still in force on the day of judging",
    ("retention.yaml", ""): "nobody signed it, so it decides nothing, and no gate rests on it",
}
"""What may change and stay promotable, by file and first step, each with its reason. Whatever is not here may not."""


def faults(desk: Desk, rng: random.Random) -> Iterator[Fault]:
    for path in sorted((desk.root / "compliance").glob("*.yaml")):
        yield from _file(desk, path.name, rng)
    yield from _sources(rng)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is no table, by where it stands; an empty table or list is one."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not value or not isinstance(value, (dict, list)):
        yield path, value
    for step, one in inner:
        yield from leaves(one, (*path, step))


def put(value: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """The same tree with one leaf changed; `GONE` takes it away."""
    if not path:
        return change(value)
    step, *rest = path
    made = put(value[step], tuple(rest), change)
    if isinstance(value, dict):
        return {k: made if k == step else v for k, v in value.items() if k != step or made is not GONE}
    return [made if i == step else v for i, v in enumerate(value) if i != step or made is not GONE]


GONE = object()


def otherwise(value: Any) -> Iterator[tuple[str, Any]]:
    """Other values of the same type."""
    if isinstance(value, bool):
        yield "the opposite", not value
        yield "unknown", "unknown"
    elif isinstance(value, (int, float)):
        yield "more", type(value)(value * 2 + 1) if isinstance(value, int) else min(value * 1.1, 0.99)
        yield "less", value - 1 if isinstance(value, int) else value * 0.5
    elif isinstance(value, date):
        yield "a day later", value + timedelta(1)
        yield "long ago", date(1999, 1, 1)
    elif value == "unknown":
        yield "true", True
        yield "false", False
    elif isinstance(value, str):
        yield "a word more", f"{value} too"
        yield "said otherwise", "something else"
    elif value is None:
        yield "something", "something"
    elif isinstance(value, list):
        yield "one entry", ["something"]
    elif isinstance(value, dict):
        yield "one entry", {"something": "else"}


def retyped(value: Any) -> Iterator[tuple[str, Any]]:
    yield "nothing", None
    yield "a list", [value]
    yield "a table", {"value": value}
    if not isinstance(value, bool):
        yield "a truth", True
    if not isinstance(value, (int, float)):
        yield "a number", 7


def _file(desk: Desk, name: str, rng: random.Random) -> Iterator[Fault]:
    raw = yaml.safe_load(desk.text(f"compliance/{name}"))
    for path, value in leaves(raw):
        types = list(retyped(value))
        for what, new in [*otherwise(value), rng.choice(types)]:
            kind = "a declaration of another type" if (what, new) in types else "a declaration changed after approval"
            yield _leaf(kind, name, path, (what, lambda _, n=new: n))
        yield _leaf("a declaration removed after approval", name, path, ("gone", lambda _: GONE))
    for path in sorted({p[:i] for p, _ in leaves(raw) for i in range(1, len(p))}, key=str):
        yield _leaf("a declaration removed after approval", name, path, ("the whole part is gone", lambda _: GONE))


def _leaf(kind: str, name: str, path: Path, told: tuple[str, Callable[[Any], Any]]) -> Fault:
    what, change = told
    why = NOT_REOPENED.get((name, str(path[0]) if path else ""), NOT_REOPENED.get((name, ""), ""))
    where = f"{name}: {'.'.join(map(str, path))}"
    return Fault(
        kind, where, what, lambda d: d.edit(f"compliance/{name}", lambda raw: put(raw, path, change)), harmless=why
    )


# ---- sources


def _sources(rng: random.Random) -> Iterator[Fault]:
    for name in plugins.names(SOURCES):
        module = plugins.load(SOURCES, name)
        for what, made in _law(module.LEGAL, rng):
            yield Fault(
                "a source's law or columns changed after approval",
                f"source {name}",
                what,
                partial(_loaded, module, made),
            )


def _loaded(module: ModuleType, made: LegalFacts, desk: Desk) -> None:
    desk.replaced(module, "LEGAL", made)


def _law(legal: LegalFacts, rng: random.Random) -> Iterator[tuple[str, LegalFacts]]:
    for part in ("controller", "provenance", "collected_from", "notice", "personal_data"):
        yield f"{part} otherwise", replace(legal, **{part: f"{getattr(legal, part)} and others"})
    yield "kept a day longer", replace(legal, retention_days=legal.retention_days + 1)
    yield "kept a day less", replace(legal, retention_days=legal.retention_days - 1)
    yield "real instead of synthetic, or the other way", replace(legal, synthetic=not legal.synthetic)
    yield "a column more", replace(legal, columns={**legal.columns, "health": tuple(Purpose)})
    for column in rng.sample(sorted(legal.columns), min(3, len(legal.columns))):
        yield (
            f"without the column {column}",
            replace(legal, columns={k: v for k, v in legal.columns.items() if k != column}),
        )
    for purpose in Purpose:
        if purpose in legal.bases:
            yield (
                f"no basis for {purpose}",
                replace(legal, bases={k: v for k, v in legal.bases.items() if k != purpose}),
            )
        for basis in LegalBasis:
            if legal.bases.get(purpose) != basis:
                yield f"{purpose} on {basis}", replace(legal, bases={**legal.bases, purpose: basis})
