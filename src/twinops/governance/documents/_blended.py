"""What the card says of the other sources: how records were joined, what was inferred, what texts tell, how good all
is. Every sentence and row carries its citation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.entities.wording import ONE
from twinops.governance.citations import cite, said
from twinops.governance.documents._tables import figure
from twinops.governance.words import words

ABOUT = {"method": "Method", "donor_panel": "Donor panel", "not_inferred": "Nothing was inferred"}
DIMENSIONS = ("completeness", "validity", "uniqueness", "timeliness", "consistency")


def measured(evidence: Evidence, section: Section) -> tuple[Markup, ...]:
    """A sentence per measure of a section, as those who measured it say."""
    return tuple(said(f"{says}: {_rounded(m)}", m) for says, m in evidence.read_as(section))


def linked(evidence: Evidence) -> tuple[Markup, ...]:
    """How many records were held, might be linked, were linked, and how often that is wrong."""
    records, links = evidence.fact("linkage_records"), evidence.measure("linkage_links")
    held = (
        said(f"{_name(name)}: {words(counts)}.", records)
        for name, counts in sorted(_table(records.value if records else None).items())
        if records
    )
    many = (said(f"Records that were linked to a {ONE}: {_rounded(links)}", links),) if links else ()
    return (*held, *many, *measured(evidence, Section.LINKAGE), *_unlinked(evidence))


def _unlinked(evidence: Evidence) -> tuple[Markup, ...]:
    """What was not there to be linked, or that nothing was."""
    missing, done = evidence.fact("linkage_missing_sources"), evidence.fact("linkage_done")
    absent = (said(f"Not there: {words(missing.value)}.", missing),) if missing and missing.value else ()
    nothing = (
        (said("Nothing was linked; each twin stays with its purchases.", done),) if done and not done.value else ()
    )
    return (*absent, *nothing)


def fused(evidence: Evidence) -> tuple[Markup, ...]:
    """By which method, from which panel and on what was inferred, and how far that can be trusted."""
    fact, apart = evidence.fact("fusion_segments"), evidence.fact("fusion_not_matched_on")
    if fact is None:
        return ()
    about = _table(fact.value)
    out = [said(f"{text}: {words(about[key])}.", fact) for key, text in ABOUT.items() if about.get(key)]
    assumed = sorted({str(r["assumption"]) for r in _rows(fact.value) if r.get("assumption")}, key=len)
    out += [said(f"Assumed: {assumed[-1]}.", fact)] if assumed else []
    out += [said(f"Not matched on: {words(apart.value)}.", apart)] if apart else []
    return (*out, *measured(evidence, Section.FUSION))


@dataclass(frozen=True)
class Inferred:
    """A segment, and per scale the inferred mean with its interval, or that the cell is too small."""

    segment: str
    figures: tuple[str, ...]
    cited: Markup


def inferred(evidence: Evidence) -> tuple[tuple[str, ...], tuple[Inferred, ...]]:
    """The scales, and a row per segment."""
    fact = evidence.fact("fusion_segments")
    means = [r for r in _rows(fact.value if fact else None) if r.get("figure") == "mean"]
    scales = tuple(sorted({str(r["scale"]) for r in means}))
    cells: dict[str, dict[str, str]] = {}
    for row in means:
        cells.setdefault(f"{_name(row['variable'])}: {row['segment']}", {})[str(row["scale"])] = _cell(row)
    found = tuple(
        Inferred(segment, tuple(told.get(s, "") for s in scales), cite(fact)) for segment, told in cells.items() if fact
    )
    return tuple(_name(s) for s in scales), found


def _cell(row: Mapping[str, Any]) -> str:
    if row.get("suppressed") or any(row.get(part) is None for part in ("value", "low", "high")):
        return "too few to show"
    return f"{row['value']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"


def felt(evidence: Evidence) -> tuple[Markup, ...]:
    """Which scorer, for which language, which are refused, and how right it is."""
    scorer, spoken = evidence.fact("sentiment_scorer"), evidence.fact("sentiment_languages")
    out = [said(f"Scorer: {words(scorer.value)}.", scorer)] if scorer else []
    out += [said(f"Languages: {words(spoken.value)}.", spoken)] if spoken else []
    unread = evidence.fact("sentiment_not_applicable")
    out += [said(f"Mood: {words(unread.value)}.", unread)] if unread and unread.value else []
    return (*out, *measured(evidence, Section.TEXTS))


@dataclass(frozen=True)
class Good:
    """A source, its share of fine rows per dimension, and how many of its rows lie in quarantine."""

    source: str
    shares: tuple[str, ...]
    aside: str
    cited: Markup


def good(evidence: Evidence) -> tuple[Good, ...]:
    """A row per source that was measured."""
    aside = evidence.fact("quarantined")
    counts = _table(aside.value if aside else None)
    names = {m.name.split(".")[1] for m in evidence.starting("quality.") if m.name.count(".") > 1}
    out = []
    for name in sorted(names):
        found = [evidence.measure(f"quality.{name}.{d}") for d in DIMENSIONS]
        there: list[Measure | Fact] = [m for m in found if m]
        there += [aside] if aside and name in counts else []
        shares = tuple("" if m is None else figure(m) for m in found)
        out.append(Good(_name(name), shares, few(counts.get(name)), cite(*there) if there else Markup("")))
    return tuple(out)


def against(evidence: Evidence) -> tuple[Markup, ...]:
    """Which checks of sources against each other found something, and how many found nothing."""
    fact = evidence.fact("contradictions")
    rows = [r for r in (fact.value if fact and isinstance(fact.value, (list, tuple)) else ()) if isinstance(r, dict)]
    if fact is None or not rows:
        return ()
    wrong = [r for r in rows if r.get("suppressed") or r.get("contradicting")]
    told = (
        f"{_name(r.get('source'))}: {r.get('says')}, in {few(r.get('contradicting') if not r.get('suppressed') else 1)}"
        f" of {words(r.get('checked'))} rows."
        for r in wrong
    )
    return (
        said(f"{len(rows)} checks of sources against each other, {len(rows) - len(wrong)} without a finding.", fact),
        *(said(text, fact) for text in told),
    )


def lost(evidence: Evidence) -> tuple[Markup, ...]:
    """What is not told of anybody, because a source is off or empty, or nothing of it might be blended."""
    texts = {
        "blend_sources_off": "Switched off",
        "blend_empty_sources": "Empty",
        "blend_lost": "Of these no consumer has one in the twin",
    }
    off = evidence.fact("blend_sources_off")
    told: set[str] = set()
    found = []
    for name, text in texts.items():
        fact = evidence.fact(name)
        # what is switched off is not told again as empty
        left = [one for one in (fact.value if fact else ()) if fact is off or one not in told]
        told |= set(left)
        if fact and left:
            found.append(said(f"{text}: {words(left)}.", fact))
    return tuple(found)


def few(count: Any) -> str:
    """A count, unless it is a small one.

    >>> few(0), few(9), few(1200), few(None)
    ('0', 'fewer than 10', '1,200', 'not known')
    """
    if not isinstance(count, int):
        return "not known"
    return f"fewer than {SMALLEST_CELL}" if 0 < count < SMALLEST_CELL else f"{count:,}"


def _rounded(measure: Measure) -> str:
    return f"{figure(measure)} (n={measure.n:,} {measure.unit_of_n})"


def _rows(value: Any) -> Iterable[Mapping[str, Any]]:
    rows = _table(value).get("rows")
    return [r for r in rows if isinstance(r, dict)] if isinstance(rows, (list, tuple)) else []


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(text: Any) -> str:
    return str(text).replace("_", " ")
