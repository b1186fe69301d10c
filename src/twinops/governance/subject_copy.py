"""The copy of a person's data as one page to read: plain words, everything escaped, printable on A4, no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from twinops.plugins import text_beside

SHOWN_ROWS = 40
"""Rows of a table on the page; all of them lie in the files beside it."""
SHOWN_COLUMNS = 8
CONTENTS = (
    ("short", "In short"), ("held", "What we hold, by source"), ("made", "What was made of it"),
    ("forecast", "What we expect of you, and why"), ("decisions", "Decisions"),
    ("allowed", "What you allowed and asked"), ("models", "Which models learned from you"),
    ("recipients", "Who receives your data"), ("rights", "What you may ask for"),
    ("withheld", "What is not in this copy"),
)  # fmt: skip


def page(told: Mapping[str, Any]) -> str:
    """The page of what is told; see `subject_copy.html.j2` for the names."""
    return _template().render({**told, "contents": CONTENTS, "table": _table})


def _table(source: Mapping[str, Any]) -> Markup:
    """The first rows of a table; of a wide one the newest, a field a line."""
    rows, columns = source["rows"], source["columns"]
    if not rows:
        return Markup("")
    wide = len(columns) > SHOWN_COLUMNS
    shown = _sideways(rows[-1], columns) if wide else _upright(rows[:SHOWN_ROWS], columns)
    left = len(rows) - (1 if wide else SHOWN_ROWS)
    said = "The newest is shown" if wide else f"The first {SHOWN_ROWS} are shown"
    note = Markup('<p class="note">{}; all {} lie in <code>csv/{}</code>.</p>')
    more = note.format(said, f"{len(rows):,}", source["file"]) if left > 0 else Markup("")
    return Markup('<div class="wide">{}</div>{}').format(shown, more)


def _upright(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Markup:
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(_words(c)) for c in columns)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(_said(row[c])) for c in columns))
        for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, body)


def _sideways(row: Mapping[str, Any], columns: Sequence[str]) -> Markup:
    lines = Markup("").join(
        Markup('<tr><th scope="row">{}</th><td>{}</td></tr>').format(_words(c), _said(row[c])) for c in columns
    )
    return Markup("<table><tbody>{}</tbody></table>").format(lines)


def _words(column: str) -> str:
    return column.replace("_", " ")


def _said(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "–", True: "yes", False: "no"}[value]
    return _printable(str(value))


@cache
def _template() -> Template:
    environment = Environment(
        loader=FunctionLoader(lambda name: text_beside("twinops.governance", name)),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("subject_copy.html.j2")


def _harmless(value: Any) -> Any:
    return value if isinstance(value, Markup) or not isinstance(value, str) else escape(_printable(value))


def _printable(text: str) -> str:
    """Signs that turn text around, or that cannot be printed, are no part of what is read."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
