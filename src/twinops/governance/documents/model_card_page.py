"""Show card, impact assessment and appendix as pages: citations lead to evidence; nothing comes from elsewhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from markdown_it import MarkdownIt

from twinops.entities.evidence import Evidence
from twinops.governance.citations import CITATION, CODE, FRONT
from twinops.governance.documents import appendix, dpia_record, model_card
from twinops.governance.policy.decide import Decision
from twinops.governance.verdicts.preview import page

FILES = ("model_card.html", "dpia.html", "appendix.html")
APPENDIX = "appendix.html"
STYLE = """
body{margin:0;background:#f6f7f9;color:#1b1f24;font:16px/1.55 system-ui,sans-serif}
main{max-width:78rem;margin:0 auto;background:#fff;padding:1.5rem 2rem 4rem}
h1{font-size:1.7rem;line-height:1.25}h2{margin-top:2.2rem;border-bottom:2px solid #d0d5dd;padding-bottom:.25rem}
h3{margin-top:1.6rem}a{color:#0b57b0}img{max-width:100%;height:auto;border:1px solid #e4e7ec}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.75rem 0;font-size:.86rem}
th,td{border:1px solid #d0d5dd;padding:.35rem .5rem;text-align:left;vertical-align:top}th{background:#f2f4f7}
code{background:#f2f4f7;padding:0 .2em;border-radius:.2em;font-size:.9em;overflow-wrap:break-word}
th:empty{padding:0;border:0}td{min-width:3.5rem}td:nth-child(3){min-width:12rem}p,li{max-width:60rem}
.ev{font-size:.72em;white-space:nowrap;text-decoration:none}.ev:hover{text-decoration:underline}
:target{background:#fff3c4}
@media (prefers-color-scheme:dark){body{background:#101418;color:#e6e9ee}main{background:#171c22}
th,code{background:#222a33}
h2,th,td{border-color:#3a444f}a{color:#8ab8ff}:target{background:#4a3f12}img{background:#fff}}
img{max-height:30rem;width:auto}
@media print{body,main{background:#fff;color:#000;font-size:8.6pt;line-height:1.32;padding:0}.wide{overflow:visible}
h1{font-size:13pt}h2{font-size:10.5pt;margin:.7rem 0 .2rem}p,li{margin:.18rem 0}table{font-size:7.6pt;margin:.3rem 0}
th,td{padding:.12rem .3rem}img{max-height:58mm;max-width:100%}tr,img{break-inside:avoid}}
"""
_READER = MarkdownIt("commonmark", {"html": False}).enable("table")
_ANCHOR = re.compile(r'<td>(\[<a class="ev" href="#(ev-[0-9a-f]{12})">[^<]*</a>\])</td>')
_LINK = re.compile(r'<a href="((?:appendix\.html)?#ev-[0-9a-f]{12})">')
_CITED = re.compile(r"\\\[\[ev-[0-9a-f]{12}\]\((appendix\.html#ev-[0-9a-f]{12})\)\\\]")
_PICTURE = re.compile(r'<img src="\.\./\.\./reports/figures/([\w-]+)\.png" alt="([^"]*)" />')
_HEADING = re.compile(r"<h2>([A-Za-z ]+)</h2>")


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`model_card.html`, `dpia.html` and `appendix.html`."""
    card = FRONT.sub("", model_card.build(evidence, decision)["README.md"])
    assessed = dpia_record.build(evidence, decision)["dpia.md"]
    full = appendix.build(evidence, decision)["appendix.md"]
    read = {"model_card.html": card, "dpia.html": assessed}
    shown = {**{name: _short(_citing(text, of=APPENDIX)) for name, text in read.items()}, APPENDIX: _citing(full)}
    titles = {"dpia.html": f"Impact assessment: {evidence.model}"}
    return {
        name: page(
            f"<style>{STYLE}</style><main>\n{_linked(_READER.render(text))}</main>\n",
            title=titles.get(name, f"Model card: {evidence.model}"),
        )
        for name, text in shown.items()
    }


def with_pictures(html: str, pictures: Mapping[str, bytes]) -> str:
    """The page with its pictures inside, so that it shows them wherever it is taken; one that is not there is named."""

    def inside(found: re.Match[str]) -> str:
        content = pictures.get(found[1])
        if content is None:
            return f"<em>picture {found[1]}: {found[2]}</em>"
        return f'<img src="data:image/png;base64,{base64.b64encode(content).decode()}" alt="{found[2]}" />'

    return _PICTURE.sub(inside, html)


def _citing(text: str, *, of: str = "") -> str:
    """Citations as links, into another page where it is named; what only looks like one stays text."""
    kept = CODE.split(text)
    spans = CODE.findall(text)
    linked = [CITATION.sub(rf"\\[[\1]({of}#\1)\\]", part) for part in kept]
    return "".join(part + span for part, span in zip(linked, [*spans, ""], strict=True))


def _short(text: str) -> str:
    """Citations of the card as small arrows: a page to be read shows no thousand ids."""
    return _CITED.sub(r"[↗](\1)", text)


def _linked(html: str) -> str:
    """Anchors where evidence is listed (the first time an id leads a row), headings that can be led to, wide tables."""
    html = _LINK.sub(r'<a class="ev" href="\1">', html)
    seen: set[str] = set()

    def anchor(found: re.Match[str]) -> str:
        first = found[2] not in seen
        seen.add(found[2])
        return f'<td id="{found[2]}">{found[1]}</td>' if first else found[0]

    html = _ANCHOR.sub(anchor, html)
    html = _HEADING.sub(lambda f: f'<h2 id="{f[1].lower().replace(" ", "-")}">{f[1]}</h2>', html)
    return html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
