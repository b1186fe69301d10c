"""What differs between a version and the one in production: verdicts, policy, files, facts and measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinops.governance.words import words
from twinops.server.review import Dossier
from twinops.server.showing import figure


@dataclass(frozen=True)
class Difference:
    """One thing that differs from production."""

    what: str
    before: str
    now: str


def differences(shown: Dossier) -> tuple[Difference, ...]:
    """What differs from the version in production, verdicts first."""
    return tuple(_differences(shown.production, shown)) if shown.production else ()


def _differences(old: Dossier, new: Dossier) -> Iterator[Difference]:
    for told in (_outcomes, _policy, _files, _facts, _measures):
        before, now = told(old), told(new)
        for name in sorted({*before, *now}):
            if before.get(name) != now.get(name):
                yield Difference(name, before.get(name, "not there"), now.get(name, "not there"))


def _outcomes(one: Dossier) -> dict[str, str]:
    return {f"gate {v.gate}": v.outcome.value for v in one.decision.verdicts} if one.decision else {}


def _policy(one: Dossier) -> dict[str, str]:
    return {"policy version": one.policy.version} if one.policy else {}


def _files(one: Dossier) -> dict[str, str]:
    return {f"file {name}": digest[:12] for name, digest in one.recorded.files.items()}


def _facts(one: Dossier) -> dict[str, str]:
    return {f"fact {f.name}": words(f.value)[:200] for f in one.evidence.facts} if one.evidence else {}


def _measures(one: Dossier) -> dict[str, str]:
    return {f"measure {m.name}": figure(m) for m in one.evidence.measures} if one.evidence else {}
