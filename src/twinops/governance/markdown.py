"""Write values into Markdown so that none of them is read as markup, whatever it holds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from twinops.plugins import text_beside

_MARKS = re.compile(
    r"([\\`*~]"  # code, emphasis, strike-through
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"  # emphasis; not inside a name_like_this
    r"|^\[|\[(?=ev-|\^)|\](?=[(\[:]))"  # link, image, reference, footnote, task, and what looks like a citation
)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "@": "&#64;"}
_LEADING = re.compile(r"^(\d{1,9}(?=[.)])|)([.)](?<=\d.)|[#+-])(?=\s|$|#|-)")
"""What would make a line a heading, a list or a rule."""


def plain(value: Any) -> str:
    """One line: control and invisible characters dropped, white space single."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    seen = ((c, unicodedata.category(c)) for c in text)
    return " ".join(
        "".join(" " if kind in ("Cc", "Zl", "Zp") else c for c, kind in seen if kind not in ("Cf", "Cs")).split()
    )


def inert(value: Any) -> Any:
    """A JSON value in which no text holds what cannot be seen or turns the direction of text."""
    if isinstance(value, dict):
        return {plain(key): inert(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [inert(item) for item in value]
    return plain(value) if isinstance(value, str) else value


def escape(value: Any) -> Markup:
    r"""The value as one line of text: HTML and Markdown marks made harmless, no link recognised in it.

    >>> str(escape("<b>a|b</b> [x](javascript:1)"))
    '&lt;b&gt;a&#124;b&lt;/b&gt; [x\\](javascript:1)'
    """
    if isinstance(value, Markup):
        return value
    text = _MARKS.sub(r"\\\1", "".join(_ENTITIES.get(c, c) for c in plain(value)))
    text = _LEADING.sub(r"\1\\\2", text)
    return Markup(text.replace("://", "&#58;//").replace("www.", "www&#46;"))  # noqa: S704  # escaped just above


def code(value: Any) -> Markup:
    """The value as a code span, in which nothing is markup; marks that could end it are replaced.

    >>> str(code("a`b|c"))
    "`a'b/c`"
    """
    return Markup("`" + plain(value).translate(str.maketrans("`|<>", "'/‹›")) + "`")  # noqa: S704  # no mark is left in it


def prose(text: str) -> Markup:
    r"""A sentence of ours, in which backticks set off names, paths and commands; everything else is escaped.

    >>> str(prose("run `make run` for a*b"))
    'run `make run` for a\\*b'
    """
    parts = plain(text).split("`")
    shown = [code(part) if odd % 2 else _kept_spaces(part) for odd, part in enumerate(parts)]
    return Markup("").join(shown)


def _kept_spaces(part: str) -> Markup:
    before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    return Markup(before) + escape(part) + Markup(after if part.strip() else "")  # noqa: S704  # white space


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill one template of `twinops.governance.documents`; every value is escaped, an undefined one is an error."""
    text = _environment().get_template(template).render(values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _environment() -> Environment:
    """Made once: compiling a template takes longer than filling it."""
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(code=code, prose=prose)
    return environment


def _template(name: str) -> str:
    """Templates lie beside the documents that fill them, as package data."""
    return text_beside("twinops.governance", "documents", name)
