"""Verdicts in a terminal: one table in the words of every other place, readable at 80 to 120 columns."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from twinops.governance.markdown import plain
from twinops.governance.verdicts.explain import MARKS, figures, headline, in_order, short

if TYPE_CHECKING:
    from twinops.entities.verdict import Verdict
    from twinops.governance.policy.decide import Decision

COLOURS = {"passed": "green", "failed": "red", "inconclusive": "yellow", "missing": "yellow", "not applicable": "cyan"}


def show(decision: Decision, *, columns: int | None = None) -> None:
    """Print every verdict with its value, limit, evidence, rule and next step; what does not pass comes first."""
    width = columns or min(120, max(80, shutil.get_terminal_size((100, 24)).columns))
    console = Console(width=width, highlight=False, no_color=bool(os.environ.get("NO_COLOR")) or None)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=True)
    table.add_column("gate", max_width=18, overflow="fold")
    table.add_column("answer", no_wrap=True)
    table.add_column("why, and what to do next", overflow="fold", ratio=1)
    for verdict in in_order(decision):
        outcome = verdict.outcome.value
        advisory = "\n(advisory)" if verdict.gate in decision.advisory else ""
        answer = Text(f"{MARKS[outcome]} {outcome}{advisory}", style=COLOURS[outcome])
        table.add_row(Text(verdict.gate), answer, _why(verdict, decision))
    console.print(table)
    console.print(Text(headline(decision).replace("`", ""), style="bold green" if decision.promotable else "bold red"))


def _why(verdict: Verdict, decision: Decision) -> Text:
    told = Text(plain(verdict.sentence).replace("`", ""))
    if verdict.value is not None:
        told.append(f"\nvalue {figures(verdict)}, limit {short(verdict.limit)}", style="bold")
    for written in decision.about(verdict.gate):
        told.append(f"\n{plain(written.sentence)}", style="magenta")
    if verdict.next:
        told.append(f"\nNext: {plain(verdict.next)}", style="cyan")
    told.append(f"\n{verdict.rule}{f' [{verdict.evidence}]' if verdict.evidence else ''}", style="dim")
    return told
