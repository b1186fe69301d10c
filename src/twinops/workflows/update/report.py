"""The monitoring report: one page with pictures, and the same as JSON. Aggregates alone, small cells left out."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from twinops.entities.canonical import to_json
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MANY_FIRST, Wording
from twinops.evaluation.canvas import save
from twinops.evaluation.monitoring.foretold_pictures import NO_GROUP, NONE_CLOSED, foretold_groups, foretold_over_time
from twinops.governance.markdown import plain
from twinops.governance.verdicts.preview import page
from twinops.whole_files import write
from twinops.workflows.places import Places
from twinops.workflows.update.ledger import Entry, Updates

TITLE = "Monitoring of the living twins"
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1b1f24;max-width:64rem;margin:1.5rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}img{max-width:100%;height:auto}
table{border-collapse:collapse;width:100%}
th,td{border:1px solid #d0d5dd;padding:.35rem .5rem;text-align:left;vertical-align:top}
thead th{background:#f2f4f7}
.failed{color:#b3261e;font-weight:600}.passed{color:#1b6e3c}.inconclusive,.missing{color:#8a5300}
"""
PICTURES = {
    "over_time": "What came against what was foretold, update by update",
    "groups": "The last forecast in each group",
}
WORDS = {
    "foretold_active_auc": "Telling who comes back (area under the curve)",
    "foretold_active_brier": "Mean squared error of the chance to come back",
    "foretold_spend_mae": "Mean error of spend",
    "foretold_active_ratio": f"{MANY_FIRST} that came, over those foretold",
    "foretold_baskets_ratio": "Baskets over those foretold",
    "foretold_spend_ratio": "Spend over that foretold",
    "foretold_coverage_80.baskets": "Outcomes in baskets inside their 80 % range",
    "foretold_coverage_80.spend": "Outcomes in spend inside their 80 % range",
    "foretold_active_auc.gain_of_fresh_states": "What fresh states add to telling who comes back",
    "foretold_spend_mae.gain_of_fresh_states": "Error of spend that fresh states save",
    "foretold_fairness_ratio": "Reach of the worst judged group, lower over higher rate",
}


def write_report(
    places: Places, updates: Updates, words: Wording, groups: Mapping[str, Mapping[str, Sequence[Measure]]]
) -> None:
    """Write `reports/monitoring.html`, `.json` and the pictures of the newest update."""
    last = updates.last
    if last is None:
        return
    rounds = updates.measured()
    _draw(foretold_over_time(rounds), places.monitoring("over_time.png"), words)
    _draw(foretold_groups(groups), places.monitoring("groups.png"), words)
    write(places.monitoring_report("json"), to_json(last, indent=1) + "\n")
    body = words.told("\n".join(_body(places, last, none=NO_GROUP if rounds else NONE_CLOSED)))
    write(places.monitoring_report("html"), page(f"<style>{STYLE}</style>\n{body}\n", title=TITLE))


def _draw(figure: Figure | None, path: Path, words: Wording) -> None:
    """Where there is nothing to draw, no picture of another update stays."""
    if figure is None:
        path.unlink(missing_ok=True)
    else:
        save(figure, path, words)


def _body(places: Places, entry: Entry, *, none: str) -> Iterator[str]:
    """`none`: why a picture is not there."""
    yield f"<h1>{TITLE}</h1>"
    yield (
        f"<p>As of {_said(entry['as_of'])}. Receipts are known up to the day before {_said(entry['known_until'])}. "
        f"{_number(entry['states']['subjects'])} {MANY} have a state; {_number(entry['states']['proved'])} "
        f"of them were rebuilt from their receipts and are equal. For {_number(entry['foretold'])} the next horizon "
        "is foretold and sealed.</p>"
    )
    yield from _judged(entry)
    yield "<h2>What came in</h2>"
    head = ("source", "period", "what", "rows", "new", "twice", "gone", "what becomes of it")
    keys = ("source", "period", "what", "rows", "added", "again", "gone", "note")
    yield _table(head, [[_cell(a[k]) for k in keys] for a in entry["arrivals"]], none="Nothing new.")
    for scored in entry["scored"]:
        yield f"<h2>The forecast of {_said(scored['sealed_on'])}, against what came (n = {_number(scored['n'])})</h2>"
        rows = [_measured(m) for m in scored["measures"]]
        yield _table(("what", "value", "95 % interval", "n"), rows, none="Too few to measure.")
    for served in entry.get("answered", ()):
        which, n = _number(served["version"]), _number(served["n"])
        yield f"<h2>What version {which} answered as a service, against what came (n = {n})</h2>"
        rows = [["all", *_measured(m)] for m in served["measures"]]
        rows += [[f"{_said(a)}: {_said(g)}", *_measured(m)] for a, of in served["groups"].items()
                 for g, found in of.items() for m in found]  # fmt: skip
        yield _table(("of whom", "what", "value", "95 % interval", "n"), rows, none="Too few to measure.")
    drawn = {
        caption: path for name, caption in PICTURES.items() if (path := places.monitoring(f"{name}.png")).is_file()
    }
    for caption, path in drawn.items():
        picture = base64.b64encode(path.read_bytes()).decode()
        yield f'<h2>{caption}</h2><p><img alt="{caption}" src="data:image/png;base64,{picture}"></p>'
    if len(drawn) < len(PICTURES):
        yield f"<p>{none}</p>"
    yield (
        "<p>This page changes nothing: nothing is promoted, nothing that is served is stopped by it. Groups below 50 "
        f"and counts below 10 {MANY} are not told.</p>"
    )


def _judged(entry: Entry) -> Iterator[str]:
    broken = ", ".join(entry["broken"])
    asked = (
        f"A review is asked for: {_said(broken)}." if broken else "No limit is newly broken: no review is asked for."
    )
    yield f"<p><strong>{asked}</strong></p>"
    rows = [
        [_said(j["name"]), f'<span class="{_said(j["answer"])}">{_said(j["answer"])}</span>', _said(j["sentence"])]
        for j in entry["judged"]
    ]
    yield _table(("limit", "answer", "why"), rows, none="The policy judges nothing of this.")


def _measured(raw: Mapping[str, Any]) -> list[str]:
    m = Measure.from_dict(dict(raw))
    ends = "" if m.low is None or m.high is None else f"{m.low:.3g} to {m.high:.3g}"
    unit = f" {_said(m.unit)}" if m.unit else ""
    return [WORDS.get(m.name, _said(m.name)), f"{m.value:.3g}{unit}", ends, f"{m.n:,}"]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, none: str) -> str:
    if not rows:
        return f"<p>{none}</p>"
    titles = "".join(f'<th scope="col">{t}</th>' for t in head)
    lines = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"


def _cell(value: Any) -> str:
    return _number(value) if isinstance(value, int) else _said(value or "")


def _number(value: int | None) -> str:
    return "few" if value is None else f"{value:,}"


def _said(value: Any) -> str:
    return escape(plain(value))
