"""What came of all faults, told: a table by kind, and what is left out as harmless with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from planted.trial import HARMLESS, OPEN, SAME, Found

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "planted.md"
HEAD = """# Faults planted into a candidate that is promotable, and what found each

Written by `make planted`: people of a play bring the shipped data and a mitigated decision to *promotable*
(`tests/pipeline/test_promotable.py`). Then one fault at a time is planted into a copy of that state, and what `twinops
documents build`, `gates explain` and `documents check` ask is asked. Faults are made from what the state holds, by a
fixed seed (`tests/planted`), not listed by hand; another project gets its own.

*Signed*: the strongest hand planted it, which knows all formats and has everybody's key, and advice and decision follow
whatever is laid before them; only what the files say is left to find it. Every hand commits, and lineage is told to be
in order, so that no fault is found by git alone. *Made to fit*: documents, manifest, lock file and commit tell the same
lie; only the gate runner, who runs everything again, can see it.
"""


def told(found: Sequence[Found]) -> str:
    """The whole page."""
    planted = [f for f in found if f.word not in (HARMLESS, SAME)]
    ended = [f for f in planted if f.word == OPEN]
    counted = f"{len(planted):,} faults planted, {len(planted) - len(ended):,} found"
    return "\n".join([
        HEAD,
        f"**{counted}; {len(ended):,} ended in *promotable*.**",
        "",
        "| what was planted | faults | found | by how many of them which check refused |",
        "|---|---|---|---|",
        *_rows(planted),
        "",
        *[f"- PROMOTABLE: {f.fault.kind}: {f.fault.where}: {f.fault.what}" for f in ended],
        *_harmless(found),
        "",
    ])  # fmt: skip


def _rows(planted: Sequence[Found]) -> Iterable[str]:
    for kind in dict.fromkeys(f.fault.kind for f in planted):
        rows = [f for f in planted if f.fault.kind == kind]
        by = Counter(check for f in rows for check in f.by)
        checks = ", ".join(f"{check} {number:,}" for check, number in by.most_common())
        yield f"| {kind} | {len(rows):,} | {sum(f.word != OPEN for f in rows):,} | {checks} |"


def _harmless(found: Sequence[Found]) -> list[str]:
    """What may change by design, and how often it was tried."""
    why = Counter(f"`{f.fault.where.partition(':')[0]}`: {f.fault.harmless}" for f in found if f.word == HARMLESS)
    same = sum(f.word == SAME for f in found)
    return [
        "**Not counted.** What does not reopen an approval, each tried and left promotable:",
        "",
        *[f"- {reason} ({number:,} changes)" for reason, number in sorted(why.items())],
        f"- a change after which the file says the same as before ({same:,} changes)",
    ]


def kept(found: Sequence[Found]) -> None:
    """Into the documentation."""
    DOCUMENT.write_text(told(found), encoding="utf-8")
