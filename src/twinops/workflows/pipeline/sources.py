"""Bring together what was found about the sources: who is held, how surely linked, how weak the signals are."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from twinops.entities.measure import Measure
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.canvas import save
from twinops.evaluation.quality.quarantine_picture import quarantine_picture
from twinops.whole_files import told_in
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.places import Places

TOLD = ("lawful", "linkage", "blend", "sentiment", "fusion", "quality")
"""Stages whose findings are told here."""
MOST_REASONS = 3


@dataclass(frozen=True)
class Sources:
    """Measures and facts by name, the table of sources, and the conclusions in words."""

    measures: dict[str, Measure]
    facts: dict[str, Any]
    table: str
    excluded: str
    found: str


def sources(places: Places, words: DeclaredWords = UNDECLARED) -> Sources:
    """Draw what is in quarantine, and put the findings of the other stages into words.

    Raises:
        DataError: a stage did not run yet.
    """
    measures: dict[str, Measure] = {}
    facts: dict[str, Any] = {}
    for name in TOLD:
        found = places.kept(name)
        measures |= {m.name: m for m in found.measures}
        facts |= {f.name: f.value for f in found.facts}
    counts = _counts(places)
    planted = any(not one["off"] and words.own.staged_as(name) is None for name, one in counts.items())
    save(quarantine_picture(counts, planted=planted), places.figure("quarantine"), words.wording)
    return Sources(measures, facts, _table(counts), _excluded(facts["blend_excluded"]), _found(measures, facts))


def _counts(places: Places) -> dict[str, dict[str, Any]]:
    """Per source: rows read, taken and left at the door, rows in quarantine by reason, and whether it is off."""
    found: dict[str, dict[str, Any]] = {}
    for path in places.all_counts:
        nothing = {"read": 0, "taken": 0, "left_out": 0, "quarantined": Counter(), "off": False}
        with told_in(path) as batch:
            one = found.setdefault(batch["source"], nothing)
            one["read"] += batch["read"]
            one["taken"] += batch["taken"]
            one["left_out"] += sum(batch["left_out"].values())
            one["quarantined"].update(batch["quarantined"])
            one["off"] |= batch["off"]
    return dict(sorted(found.items()))


def _table(counts: dict[str, dict[str, Any]]) -> str:
    """A table in Markdown; small counts of rows are rows, not people, and are told by reason only from ten on."""
    lines = ["| source | rows read | taken | in quarantine | mostly for |", "|---|---:|---:|---:|---|"]
    for name, one in counts.items():
        bad = one["quarantined"]
        most = ", ".join(f"{r} {n}" for r, n in bad.most_common(MOST_REASONS) if n >= SMALLEST_CELL)
        off = " (off)" if one["off"] else ""
        lines.append(f"| {name}{off} | {one['read']:,} | {one['taken']:,} | {sum(bad.values()):,} | {most} |")
    return "\n".join(lines)


def _excluded(by_source: dict[str, dict[str, int | None]]) -> str:
    lines = ["| source | reason | subjects |", "|---|---|---:|"]
    for name, reasons in by_source.items():
        shown = {r: f"fewer than {SMALLEST_CELL}" if n is None else f"{n:,}" for r, n in reasons.items()}
        lines += [f"| {name} | {reason} | {n} |" for reason, n in shown.items()]
    return "\n".join(lines)


def _found(measures: dict[str, Measure], facts: dict[str, Any]) -> str:
    """The conclusions, each from its measure."""
    lines = [_linked(measures), _felt(measures), _inferred(measures)]
    if facts["blend_sources_off"]:
        lines.append(f"Switched off: {', '.join(facts['blend_sources_off'])}.")
    if facts["blend_lost"]:
        lines.append(f"So nothing is known of: {', '.join(facts['blend_lost'])}.")
    return "\n".join(f"- {line}" for line in lines)


def _linked(measures: dict[str, Measure]) -> str:
    precision, recall = measures.get("linkage_precision"), measures.get("linkage_recall")
    if precision is None or recall is None or precision.low is None:
        return "Nothing was linked, or there is no truth to measure it by."
    sure = "surely enough" if precision.low >= 0.99 else "not shown to be sure enough"
    return f"Records are linked {sure}: precision {precision}, recall {recall}; synthetic identities."


def _felt(measures: dict[str, Measure]) -> str:
    ordinary, hard = measures["sentiment_accuracy"], measures["sentiment_accuracy.hard"]
    guessing = measures["sentiment_accuracy.hard.majority"].high or 1
    how = "weak" if (hard.low or 0) <= guessing else "usable"
    right = f"right in {ordinary.value:.0%} of ordinary posts and in {hard.value:.0%} of hard ones"
    return f"Sentiment is a {how} signal: {right}."


def _inferred(measures: dict[str, Measure]) -> str:
    cover = measures.get("fusion_segment_coverage_95")
    if cover is None:
        return "Nothing was inferred from the panel, or there is no truth to measure it by."
    held = "as often as they promise" if (cover.high or 0) >= 0.95 else "less often than they promise"
    narrow = measures.get("fusion_segment_coverage_95.not_widened")
    alone = "" if narrow is None else f" Draws alone would promise too much: {narrow.value:.0%}."
    return (
        f"Intervals inferred from the panel hold the truth {held}: {cover.value:.0%}, and 95 % was meant.{alone} "
        "They are widened, for panelists may be other people than ours in what may not be matched on."
    )
