"""Show a decision in a notebook or as a page of its own: no script, nothing from elsewhere, every value escaped."""

from __future__ import annotations

from html import escape
from typing import Any

from twinops.entities.verdict import Verdict
from twinops.governance.markdown import plain
from twinops.governance.policy.decide import Decision
from twinops.governance.verdicts.explain import MARKS, figures, headline, in_order, short

STYLE = """
div.tw.tw{font:14px/1.45 system-ui,sans-serif;color:#1b1f24;background:#fff;max-width:72rem;padding:.75rem 1rem}
div.tw.tw h2{font-size:1.15rem;font-weight:700;margin:0 0 .25rem;color:inherit}
div.tw.tw p{margin:.25rem 0 .75rem}
div.tw.tw p.head{border-left:.35rem solid;padding:.4rem .75rem;font-weight:600}
div.tw.tw p.refused{border-color:#b3261e;background:#fdecea}
div.tw.tw p.promotable{border-color:#1b6e3c;background:#e9f6ee}
div.tw.tw table{border-collapse:collapse;width:100%;table-layout:auto;font-size:inherit;color:inherit}
div.tw.tw thead th{background:#f2f4f7;border:1px solid #d0d5dd;padding:.4rem .55rem;text-align:left}
div.tw.tw tbody tr{background:#fff}
div.tw.tw tbody td{border:1px solid #d0d5dd;padding:.4rem .55rem;text-align:left;vertical-align:top;white-space:normal}
div.tw.tw td.why{width:46%;max-width:none}
div.tw.tw td.o{font-weight:600;white-space:nowrap}
div.tw.tw .rule{color:#475467;font-size:.86em}
div.tw.tw .passed{color:#1b6e3c}
div.tw.tw .failed{color:#b3261e}
div.tw.tw .inconclusive,div.tw.tw .missing,div.tw.tw .not-applicable{color:#8a5300}
div.tw.tw code{background:#f2f4f7;color:inherit;padding:0 .2em;border-radius:.2em;font-size:.92em;white-space:nowrap}
"""
TITLES = ("gate", "answer", "why", "value [interval]", "limit", "what to do next")


def preview_html(decision: Decision, *, title: str, about: str) -> str:
    """A piece of HTML for a notebook: what would be decided, and why."""
    rows = "".join(_row(v, decision) for v in in_order(decision))
    head = "".join(f'<th scope="col">{escape(t)}</th>' for t in TITLES)
    kind = "promotable" if decision.promotable else "refused"
    return (
        f'<style>{STYLE}</style><div class="tw"><h2>{_said(title)}</h2><p>{_said(about)}</p>'
        f'<p class="head {kind}">{_coded(headline(decision))}</p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>\n"
    )


def page(body: str, *, title: str) -> str:
    """A whole page that may load nothing and run nothing."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_said(title)}</title></head><body>\n{body}</body></html>\n"
    )


def _row(verdict: Verdict, decision: Decision) -> str:
    outcome = verdict.outcome.value
    advisory = " (advisory)" if verdict.gate in decision.advisory else ""
    written = "".join(f"<p><strong>{_said(s.sentence)}</strong></p>" for s in decision.about(verdict.gate))
    cited = f" <code>{escape(verdict.evidence)}</code>" if verdict.evidence else ""
    cells: tuple[Any, ...] = (
        f"<td><code>{_said(verdict.gate)}</code></td>",
        f'<td class="o {verdict.outcome.style}">{MARKS[outcome]} {outcome}{advisory}</td>',
        f'<td class="why">{_coded(verdict.sentence)}{cited}{written}<div class="rule">{_said(verdict.rule)}</div></td>',
        f"<td>{_said(figures(verdict))}</td>",
        f"<td>{_said(short(verdict.limit))}</td>",
        f"<td>{_coded(verdict.next) or '-'}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _said(value: Any) -> str:
    return escape(plain(value))


def _coded(sentence: str) -> str:
    """A sentence of ours, in which backticks set off code."""
    parts = plain(sentence).split("`")
    return "".join(f"<code>{escape(p)}</code>" if odd % 2 else escape(p) for odd, p in enumerate(parts))
