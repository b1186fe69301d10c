"""Keep what people wrote in the CNIL's tool: a file that comes back loses no field, and the next draft has them all.

What twinops drafted and nobody touched follows the evidence; everything else stays as people left it, fields that are
not known here included. What was evaluated or advised on another text is open again; its words stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

PLACE = "compliance/cnil-pia.json"
SCHEMA = "twinops.cnil-kept/1"
SHOWN = frozenset({"p", "br", "strong", "b", "em", "i", "u", "ul", "ol", "li"})
"""Marks that the tool's editor makes; any other is dropped, its text stays: the tool shows HTML as it is."""
_MARK = re.compile(r"<(/?)([A-Za-z!?][A-Za-z0-9]*)[^<>]*>")
ADVISED = ("dpo_status", "concerned_people_status")


def kept(file: Mapping[str, Any], draft: Mapping[str, Any]) -> dict[str, Any]:
    """The whole file, with what in it is our draft as nobody changed it."""
    theirs, drafted = _harmless(file), {a["reference_to"]: a["data"] for a in draft["answers"]}
    written = {m["title"]: m["content"] for m in draft["measures"]}
    return {
        "schema": SCHEMA,
        "ours": sorted(a["reference_to"] for a in theirs["answers"] if drafted.get(a["reference_to"]) == a["data"]),
        "our_measures": sorted(m["title"] for m in theirs["measures"] if written.get(m["title"]) == m["content"]),
        "file": theirs,
    }


def merged(draft: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """The draft of what is so now, in the file that people filled."""
    theirs = held["file"]
    answers = _answers(draft["answers"], theirs["answers"], ours=held["ours"])
    measures = _measures(draft["measures"], theirs["measures"], ours=held["our_measures"])
    anew = {
        *_differ(answers, theirs["answers"], by="reference_to", part="data"),
        *(f"3.1.{n}" for n in _differ(measures, theirs["measures"], by="id", part="content")),
    }
    same = theirs["pia"].get("category") == draft["pia"]["category"]
    pia = {**draft["pia"], **theirs["pia"], "name": draft["pia"]["name"], "category": draft["pia"]["category"]}
    return {
        **theirs,
        "pia": pia if same else {**pia, "status": 0, **dict.fromkeys(ADVISED)},
        "answers": answers,
        "measures": measures,
        "evaluations": [_open_again(one) if _speaks_of(one, anew) else one for one in theirs["evaluations"]],
    }


def theirs_in(held: Mapping[str, Any]) -> tuple[int, ...]:
    """Questions that stay as people answered them, whatever twinops would say."""
    return tuple(sorted({a["reference_to"] for a in held["file"]["answers"]} - set(held["ours"])))


def _answers(drafted: Iterable[Any], filled: Iterable[Any], *, ours: list[int]) -> list[Any]:
    new, old = ({a["reference_to"]: a for a in answers} for answers in (drafted, filled))
    given = {number: one for number, one in old.items() if number not in ours}
    follow = {number: {**old.get(number, {}), **one} for number, one in new.items() if number not in given}
    return [one for _, one in sorted({**follow, **given}.items())]


def _measures(drafted: Iterable[Any], filled: Iterable[Any], *, ours: list[str]) -> list[Any]:
    """Ids stay, because evaluations and comments name measures by them."""
    new, old = {m["title"]: m for m in drafted}, list(filled)
    known = {m["title"] for m in old}
    out = [
        {**m, "content": new[m["title"]]["content"]} if m["title"] in ours and m["title"] in new else m
        for m in old
        if m["title"] not in ours or m["title"] in new
    ]
    last = max((m["id"] for m in old), default=0)
    more = [m for title, m in new.items() if title not in known]
    return [*out, *({**m, "id": last + n} for n, m in enumerate(more, start=1))]


def _differ(now: Iterable[Any], before: Iterable[Any], *, by: str, part: str) -> set[Any]:
    was = {one[by]: one.get(part) for one in before}
    return {one[by] for one in now if was.get(one[by]) != one.get(part)}


def _speaks_of(evaluation: Mapping[str, Any], anew: set[Any]) -> bool:
    """Does it evaluate another text now? `2.1.211` is one question, `3.1.4` one measure, `1.1` and `3.2` a part."""
    place = str(evaluation["reference_to"])
    first, _, rest = place.partition(".")
    if place.startswith("3.1."):
        return place in anew
    questions = {number for number in anew if isinstance(number, int)}
    return int(place[-3:]) in questions if "." in rest else any(n // 10 == int(first + rest) for n in questions)


def _open_again(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    return {**evaluation, "status": 0, "global_status": 0}


def _harmless(value: Any) -> Any:
    """The same value; texts without marks that a browser would run, and without what cannot be seen."""
    if isinstance(value, dict):
        return {str(key): _harmless(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_harmless(item) for item in value]
    return _bare_marks(value) if isinstance(value, str) else value


def _bare_marks(text: str) -> str:
    """The text with an editor's marks, which lose what stands in them; what else opens a mark is shown as text."""
    seen = ((c, unicodedata.category(c)) for c in text)
    text = "".join(c for c, kind in seen if c in "\n\t" or kind not in ("Cc", "Cf", "Cs"))
    out, at = [], 0
    for mark in _MARK.finditer(text):
        out += [_shown(text[at : mark.start()]), f"<{mark[1]}{mark[2].lower()}>" if mark[2].lower() in SHOWN else ""]
        at = mark.end()
    return "".join([*out, _shown(text[at:])])


def _shown(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")
