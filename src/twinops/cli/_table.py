"""The closing table of `make run`, readable at 80 to 120 columns, with and without colour."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from twinops.cli._answer import RENEW
from twinops.entities.baselines import best_baseline, plain_gains
from twinops.governance.verdicts.explain import headline, short

if TYPE_CHECKING:
    from twinops.entities.evidence import Evidence
    from twinops.entities.measure import Measure
    from twinops.entities.verdict import Verdict
    from twinops.workflows.candidate.status import Status

COLOURS = {"passed": "green", "failed": "red", "inconclusive": "yellow", "missing": "yellow", "not applicable": "cyan"}
WIDE = 96
"""From so many columns on there is room for a column of words."""


def show(status: Status, *, columns: int | None = None) -> None:
    """Print candidate, verdicts with reasons, figures beside their baselines, who was left out, and where to look."""
    width = columns or min(120, max(80, shutil.get_terminal_size((100, 24)).columns))
    console = Console(width=width, highlight=False, no_color=bool(os.environ.get("NO_COLOR")) or None)
    if status.stale:
        console.print(Text(f"{status.stale} {RENEW}", style="bold yellow"))
    version = f"version {status.version}" if status.version else "not registered yet"
    console.print(
        Text(f"Candidate {status.evidence.model} {status.evidence.key[:12]}, {version}, as of {status.evidence.as_of}")
    )
    wide = width >= WIDE
    console.print(_verdicts(status, wide=wide))
    for verdict in status.decision.verdicts:
        later = f" Next: {verdict.next}" if verdict.next and not wide else ""
        written = "".join(f" {s.sentence}" for s in status.decision.about(verdict.gate))
        console.print(Text(f"{verdict.gate}: {verdict.sentence}{written}{later}"))
    compared = _compared(status.evidence)
    if compared.row_count:
        console.print(compared)
    console.print(Text(_left_out(status)))
    for told in status.erasures:
        console.print(Text(f"Erasure {told}", style="bold yellow"))
    console.print(Text(headline(status.decision), style="bold"))
    console.print(Text(_where(status)))


def _verdicts(status: Status, *, wide: bool) -> Table:
    """One row per gate; on a narrow terminal what to do next stands with the reasons below instead."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("gate", max_width=20, overflow="fold")
    table.add_column("outcome", min_width=14)
    table.add_column("value [interval]", max_width=20 if wide else 30)
    table.add_column("limit", max_width=12)
    if wide:
        table.add_column("what to do next", overflow="fold")
    for verdict in status.decision.verdicts:
        outcome = Text(verdict.outcome.value, style=COLOURS[verdict.outcome.value])
        figures = (Text(verdict.gate), outcome, Text(_value(verdict)), Text(short(verdict.limit)))
        table.add_row(*figures, *([Text(verdict.next or "-")] if wide else []))
    return table


def _value(found: Verdict | Measure) -> str:
    if found.value is None:
        return "-"
    bounds = "" if found.low is None or found.high is None else f" [{short(found.low)}, {short(found.high)}]"
    return f"{short(found.value)}{bounds}"


def _compared(evidence: Evidence) -> Table:
    """Quantities that were measured for the twin and for a baseline on the same rows."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("held out", "twin [interval]", "best plain baseline", "gain, paired"):
        table.add_column(name, overflow="fold")
    for measure in evidence.measures:
        best = best_baseline(measure.name, evidence.measures)
        peer = evidence.measure(f"{measure.name}.{best}")
        if best and peer:
            unit = f" ({measure.unit})" if measure.unit else ""
            gain = plain_gains(measure.name, evidence.measures)[best]
            table.add_row(f"{measure.name}{unit}", _value(measure), f"{best} {short(peer.value)}", _value(gain))
    return table


def _left_out(status: Status) -> str:
    told = status.to_dict()
    out = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in told["excluded"].items()) or "nobody"
    aside = ", ".join(f"{count} of {source}" for source, count in told["quarantined"].items() if count) or "none"
    unserved = "".join(f"Whatever people answered: {why}.\n" for why in told["unserved"].values())
    return f"Left out: {out}. Rows put aside because they break a schema: {aside}.\n{unserved}"


def _where(status: Status) -> str:
    run = f" (run {status.run_id[:8]})" if status.run_id else ""
    return f"""Where to look:
  make serve              MLflow{run}: http://127.0.0.1:5000
  make lab                the notebooks, ready to run
  twinops gates explain   every verdict with its rule
  model_cards/{status.evidence.model}/README.md, reports/notebooks/, reports/evidence.json"""
