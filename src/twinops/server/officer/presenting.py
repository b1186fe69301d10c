"""What an officer reads, made ready for a page: verdicts with pictures, open questions, what differs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from twinops.entities.approval import Actor
from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.verdict import Outcome, Verdict
from twinops.entities.wording import NEUTRAL
from twinops.governance.gates._shelf import gates, of
from twinops.governance.policy import rulings
from twinops.governance.policy.resolution import JudgedRuling
from twinops.governance.verdicts.brief import Brief, brief
from twinops.governance.verdicts.compare import Side
from twinops.governance.words import words
from twinops.server.officer.dossier import Dossier

FIGURES = "reports/figures/"
RESOLVABLE = (Outcome.INCONCLUSIVE, Outcome.FAILED)


@dataclass(frozen=True)
class Picture:
    """One picture that came with the evidence."""

    path: str
    alt: str


@dataclass(frozen=True)
class ShownVerdict:
    """One verdict with the pictures that belong to it."""

    verdict: Verdict
    blocks: bool
    pictures: tuple[Picture, ...]
    rulings: tuple[JudgedRuling, ...] = ()
    """What people wrote about it, whether it counts or not."""
    offered: Offered | None = None
    """What the reader may write about it."""


@dataclass(frozen=True)
class Offered:
    """A ruling on one gate, for whoever holds an office: for how many days at most, or what stands against it."""

    label: str
    days: int
    against: tuple[str, ...]
    withdraw: bool


@dataclass(frozen=True)
class Difference:
    """One thing that differs from production."""

    what: str
    before: str
    now: str


@dataclass(frozen=True)
class Question:
    """A field of the impact assessment that only a person answers."""

    where: str
    asked: str
    who: str
    answer: str | None


def pictures(shown: Dossier) -> dict[str, Picture]:
    """Pictures that came with the evidence, by name."""
    found, captions = {}, shown.evidence.captions if shown.evidence else {}
    for path in shown.files:
        name = path.removeprefix(FIGURES).removesuffix(".png")
        if path == f"{FIGURES}{name}.png":
            found[name] = Picture(path, captions.get(name, name.replace("_", " ").capitalize()))
    return found


def shown_verdicts(shown: Dossier) -> tuple[ShownVerdict, ...]:
    """Verdicts in the order of the policy; a picture stands with the first gate of its kind.

    Where no policy is active they are those of the policy in the server's folder, which binds nobody.
    """
    policy = shown.policy or shown.unbound
    decision = shown.decision if shown.policy else shown.preview
    if decision is None or policy is None:
        return ()
    left = pictures(shown)
    listed = {gate.id: gate for gate in policy.gates}
    found = []
    for verdict in decision.verdicts:
        gate = listed.get(verdict.gate)  # the verdict on the policy's own time in force belongs to no gate, and blocks
        own = tuple(left.pop(name) for name in of(verdict, "PICTURES") or () if name in left)
        found.append(ShownVerdict(verdict, gate is None or gate.blocks, own, decision.about(verdict.gate)))
    return tuple(found)


def offered(shown: Dossier, one: ShownVerdict, actor: Actor, now: datetime) -> ShownVerdict:
    """The same with what this reader may write about it; nothing for whoever holds no office."""
    bench, gate = shown.bench, one.verdict.gate
    if not bench.office(actor.account, on=now.date()) or one.verdict.outcome not in RESOLVABLE:
        return one
    withdraw = not rulings.against_withdrawing(gate, actor, bench=bench, now=now)
    label = "Override it for a time" if one.verdict.outcome is Outcome.FAILED else "Resolve it for a time"
    against = rulings.against_resolving(gate, shown.case, actor, bench=bench, now=now)
    return replace(one, offered=Offered(label, bench.allowance(gate).at_most_days, against, withdraw))


def other_pictures(shown: Dossier, told: Iterable[ShownVerdict]) -> tuple[Picture, ...]:
    """Pictures no verdict showed."""
    seen = {picture.path for one in told for picture in one.pictures}
    return tuple(picture for picture in pictures(shown).values() if picture.path not in seen)


def fairness_and_drift(evidence: Evidence | None) -> tuple[Measure, ...]:
    """The measures a reader of both asks for first."""
    watched = tuple(name for gate in gates() for name in getattr(gate, "WATCHED", ()))
    return () if evidence is None else tuple(m for m in evidence.measures if m.name.startswith(watched))


def ticks(sentence: str) -> Markup:
    """A sentence of ours in which backticks set off names and commands; everything in it is escaped."""
    parts = [escape(part) for part in sentence.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(p) if n % 2 else p for n, p in enumerate(parts))


def figure(measure: Measure | None) -> str:
    """Value and interval; a missing one is said to be missing."""
    if measure is None:
        return "not measured"
    interval = "" if measure.low is None or measure.high is None else f" [{measure.low:.4g}, {measure.high:.4g}]"
    return f"{measure.value:.4g}{interval}{f' {measure.unit}' if measure.unit else ''}"


def questions(text: str | None) -> tuple[Question, ...]:
    """Fields of `dpia.json` that a person fills in; open ones first."""
    try:
        told = json.loads(text or "{}")
        found = [
            _question(content, field)
            for section in told.get("sections", ())
            for content in section["contents"]
            for field in content["fields"]
            if field["kind"] == "human"
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()
    return tuple(sorted(found, key=lambda q: q.answer is not None))


def _question(content: dict[str, Any], field: dict[str, Any]) -> Question:
    asked = field.get("asked") or {}
    answer = None if field["value"] is None else NEUTRAL.told(words(field["value"]))
    return Question(str(content["title"]), str(asked.get("question", field["id"])), str(asked.get("who", "")), answer)


def brief_of(shown: Dossier) -> Brief | None:
    """The one page, by the active policy; None: nothing was handed in, or nothing is active to judge it by."""
    if shown.dated is None or shown.decision is None:
        return None
    before = _side(shown.production, "in production") or _side(shown.previous, "before this one")
    return brief(shown.dated, shown.decision, policy=shown.policy, before=before)


def _side(other: Dossier | None, where: str) -> Side | None:
    if other is None or other.dated is None or other.decision is None:
        return None
    return Side(f"version {other.case.version}, {where}", other.dated, other.decision)


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
    return (
        {f"fact {f.name}": one.evidence.wording.told(words(f.value))[:200] for f in one.evidence.facts}
        if one.evidence
        else {}
    )


def _measures(one: Dossier) -> dict[str, str]:
    return {f"measure {m.name}": figure(m) for m in one.evidence.measures} if one.evidence else {}
