"""The copy of a person's data as one page to read: plain words, everything escaped, printable on A4, no script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from twinops.governance.copy_cells import NOTHING, ShownTable
from twinops.plugins import text_beside

SHOWN_ROWS = 40
"""Rows of a table on the page; all of them lie in the files beside it."""
SHOWN_COLUMNS = 10
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


def _table(told: Mapping[str, Any]) -> Markup:
    """The first rows of a table; of a wide one the newest, a field a line, each with what it means."""
    table: ShownTable = told["table"]
    if not table.heads:
        return _note(f"All of it is for machines: csv/{told['file']}.")
    wide = len(table.heads) > SHOWN_COLUMNS
    drawn = _sideways(table) if wide else _upright(table)
    shown = Markup('<div class="wide">{}</div>').format(drawn)
    return Markup("{}{}").format(shown, _note(_left(told, table, wide=wide)))


def _left(told: Mapping[str, Any], table: ShownTable, *, wide: bool) -> str:
    """What of the table is not on the page, and where it lies."""
    said = "All of it lies"
    if len(table.rows) > (1 if wide else SHOWN_ROWS):
        shown = "The newest is shown" if wide else f"The first {SHOWN_ROWS} are shown"
        said = f"{shown}; all {len(table.rows):,} lie"
    columns = "1 column that is" if table.for_machines == 1 else f"{table.for_machines} columns that are"
    more = f", with {columns} empty or for machines" if table.for_machines else ""
    return f"{said} in csv/{told['file']}{more}."


def _note(text: str) -> Markup:
    return Markup('<p class="note">{}</p>').format(text)


def _upright(table: ShownTable) -> Markup:
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(h) for h in table.heads)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(_printable(c)) for c in row))
        for row in table.rows[:SHOWN_ROWS]
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, body)


def _sideways(table: ShownTable) -> Markup:
    line = Markup('<tr><th scope="row">{}</th><td>{}</td><td class="note">{}</td></tr>')
    lines = Markup("").join(
        line.format(head, _printable(cell), meaning)
        for head, cell, meaning in zip(table.heads, table.rows[-1], table.meanings, strict=True)
        if cell != NOTHING
    )
    return Markup("<table><tbody>{}</tbody></table>").format(lines)


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
