"""What an officer reads, made ready for a page: documents as inert HTML, open questions, pictures, what changed."""

from __future__ import annotations

import hashlib
import itertools
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from twinops.entities.approval import Actor
from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.verdict import Outcome, Verdict
from twinops.governance import rulings
from twinops.governance.gates._shelf import gates, of
from twinops.governance.policy import Policy
from twinops.governance.settled import JudgedRuling
from twinops.governance.words import words
from twinops.server.review import Dossier

FIGURES = "reports/figures/"
RESOLVABLE = (Outcome.INCONCLUSIVE, Outcome.FAILED)
_KEPT = 64
_documents: dict[str, Markup] = {}
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Picture:
    """One picture that came with the evidence."""

    path: str
    alt: str


@dataclass(frozen=True)
class Judged:
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
class Change:
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


@dataclass(frozen=True)
class Shelf:
    """Where the links of one shown document lead; `picture` and `file` know what came with the evidence."""

    prefix: str
    """Before the ids of its headings, which would otherwise be those of the page."""
    version: str
    """Which evidence it belongs to: what is cached differs by it."""
    picture: Callable[[str], str | None]
    file: Callable[[str], str | None]


def document(text: str, shelf: Shelf) -> Markup:
    """A document in Markdown as HTML in which nothing runs or loads, below the headings of the page.

    Links inside it and to files of the evidence work; a link to what is not there is shown as its words.
    """
    key = hashlib.sha256(f"{shelf.prefix}\0{shelf.version}\0{text}".encode()).hexdigest()
    if key not in _documents:
        if len(_documents) >= _KEPT:
            _documents.clear()
        tokens = _markdown.parse(_without_front_matter(text))
        _tame(tokens, shelf)
        _documents[key] = Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704  # html=False
    return _documents[key]


def _without_front_matter(text: str) -> str:
    if not text.startswith("---\n"):
        return text
    _, end, rest = text[4:].partition("\n---\n")
    return rest if end else text


def _tame(tokens: Sequence[Token], shelf: Shelf) -> None:
    ids = _named_headings(tokens, shelf.prefix)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        for inner in token.children or ():
            if inner.type == "image":
                _tame_picture(inner, shelf)
        _tame_links(token.children or [], shelf, ids)
        if token.type == "table_open":
            token.attrSet("tabindex", "0")  # wide tables scroll sideways, by keyboard too
    for opened, inner, closed in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opened.type == "th_open" and not inner.content.strip():
            opened.tag = closed.tag = "td"  # an empty heading tells a screen reader nothing


def _named_headings(tokens: Sequence[Token], prefix: str) -> frozenset[str]:
    """Give every heading an id, as hosts of git repositories make them; the ids are returned."""
    given: list[str] = []
    for opened, inner in itertools.pairwise(tokens):
        if opened.type == "heading_open":
            words = re.sub(r"[^\w\- ]", "", inner.content.strip().lower()).replace(" ", "-")
            again = sum(1 for known in given if known == words)
            given.append(words)
            opened.attrSet("id", f"{prefix}-{words}{f'-{again}' if again else ''}")
    return frozenset(str(token.attrGet("id")) for token in tokens if token.type == "heading_open")


def _tame_links(children: list[Token], shelf: Shelf, ids: frozenset[str]) -> None:
    dropped = False
    for token in children:
        if token.type == "link_open":
            where = _where(str(token.attrGet("href") or ""), shelf, ids)
            dropped = where is None
            if where is not None:
                token.attrSet("href", where)
                token.attrSet("rel", "noreferrer noopener")
        if dropped and token.type in ("link_open", "link_close"):
            dropped = token.type == "link_open"
            token.type, token.tag, token.content = "text", "", ""


def _where(href: str, shelf: Shelf, ids: frozenset[str]) -> str | None:
    """An address of the web stays, an inner one is found on this page or among the files of the evidence."""
    if re.match(r"[a-z][a-z0-9+.-]*:", href, re.IGNORECASE):
        return href
    if href.startswith("#"):
        inner = f"{shelf.prefix}-{unquote(href[1:]).lower()}"
        return f"#{inner}" if inner in ids else None
    return shelf.file(unquote(href.partition("#")[0])) if href and not href.startswith("/") else None


def _tame_picture(token: Token, shelf: Shelf) -> None:
    where = str(token.attrGet("src") or "")
    while where.startswith("../"):
        where = where[3:]
    found = shelf.picture(posixpath.normpath(where))
    if found is None:
        token.type, token.tag = "text", ""
        token.content = f"(picture: {token.content})"
    else:
        token.attrSet("src", found)
        token.attrSet("loading", "lazy")


def pictures(shown: Dossier) -> dict[str, Picture]:
    """Pictures that came with the evidence, by name."""
    found, captions = {}, shown.evidence.captions if shown.evidence else {}
    for path in shown.files:
        name = path.removeprefix(FIGURES).removesuffix(".png")
        if path == f"{FIGURES}{name}.png":
            found[name] = Picture(path, captions.get(name, name.replace("_", " ").capitalize()))
    return found


def judged(shown: Dossier) -> tuple[Judged, ...]:
    """Verdicts in the order of the policy; a picture stands with the first gate of its kind."""
    if shown.decision is None or shown.policy is None:
        return ()
    left = pictures(shown)
    listed = {gate.id: gate for gate in shown.policy.gates}
    found = []
    for verdict in shown.decision.verdicts:
        gate = listed.get(verdict.gate)  # the verdict on the policy's own time in force belongs to no gate, and blocks
        own = tuple(left.pop(name) for name in of(verdict, "PICTURES") or () if name in left)
        found.append(Judged(verdict, gate is None or gate.blocks, own, shown.decision.about(verdict.gate)))
    return tuple(found)


def offered(shown: Dossier, one: Judged, actor: Actor, now: datetime) -> Judged:
    """The same with what this reader may write about it; nothing for whoever holds no office."""
    bench, gate = shown.bench, one.verdict.gate
    if not bench.office(actor.account, on=now.date()) or one.verdict.outcome not in RESOLVABLE:
        return one
    withdraw = not rulings.against_withdrawing(gate, actor, bench=bench, now=now)
    label = "Override it for a time" if one.verdict.outcome is Outcome.FAILED else "Resolve it for a time"
    against = rulings.against_resolving(gate, shown.case, actor, bench=bench, now=now)
    return replace(one, offered=Offered(label, bench.allowance(gate).at_most_days, against, withdraw))


def other_pictures(shown: Dossier, told: Iterable[Judged]) -> tuple[Picture, ...]:
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
    answer = None if field["value"] is None else words(field["value"])
    return Question(str(content["title"]), str(asked.get("question", field["id"])), str(asked.get("who", "")), answer)


def changes(shown: Dossier) -> tuple[Change, ...]:
    """What differs from the version in production: verdicts, rules, files, facts and measures, in this order."""
    old = shown.production
    if old is None:
        return ()
    return (
        *_changed_verdicts(old, shown),
        *_changed_policy(old.policy, shown.policy),
        *_changed_files(old, shown),
        *_changed_facts(old.evidence, shown.evidence),
        *_changed_measures(old.evidence, shown.evidence),
    )


def _changed_verdicts(old: Dossier, new: Dossier) -> Iterable[Change]:
    before = {v.gate: v.outcome.value for v in old.decision.verdicts} if old.decision else {}
    now = {v.gate: v.outcome.value for v in new.decision.verdicts} if new.decision else {}
    return _differences("gate", before, now)


def _changed_policy(old: Policy | None, new: Policy | None) -> Iterable[Change]:
    before, now = ({"version": p.version} if p else {} for p in (old, new))
    return _differences("policy", before, now)


def _changed_files(old: Dossier, new: Dossier) -> Iterable[Change]:
    before, now = ({n: d[:12] for n, d in sorted(x.recorded.files.items())} for x in (old, new))
    return _differences("file", before, now)


def _changed_facts(old: Evidence | None, new: Evidence | None) -> Iterable[Change]:
    before, now = ({f.name: words(f.value)[:200] for f in e.facts} if e else {} for e in (old, new))
    return _differences("fact", before, now)


def _changed_measures(old: Evidence | None, new: Evidence | None) -> Iterable[Change]:
    before, now = ({m.name: figure(m) for m in e.measures} if e else {} for e in (old, new))
    return _differences("measure", before, now)


def _differences(kind: str, before: dict[str, str], now: dict[str, str]) -> Iterable[Change]:
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield Change(f"{kind} {name}", before.get(name, "not there"), now.get(name, "not there"))
