"""Whether cells keep to the rules that were declared for their column; patterns are matched in linear time (RE2)."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.cell_values import Unreadable
from twinops.data.own_sources.files.cells import TextCells
from twinops.errors import ParamsError
from twinops.own_params import OwnSource
from twinops.own_sections import CellRules, MoneyParams


def broken(cells: TextCells, said: OwnSource) -> dict[str, np.ndarray]:
    """By reason, which rows break a rule.

    Raises:
        ParamsError: a pattern is none.
    """
    found = {}
    for ours, rules in said.rules.items():
        if not said.fills(ours):
            continue
        theirs = said.theirs(ours)
        column = pc.utf8_trim_whitespace(cells.table[theirs].combine_chunks())
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        nothing = np.asarray(pc.fill_null(pc.equal(column, ""), True))
        if rules.required:
            found[f"{ours}_required"] = nothing | np.isin(column.to_numpy(zero_copy_only=False), said.missing)
        wrong = _wrong(column, rules, said, plain=theirs in cells.plain) & ~nothing
        if wrong.any():
            found[f"{ours}_against_rule"] = wrong
    return found


def _wrong(column: pa.Array, rules: CellRules, said: OwnSource, *, plain: bool) -> np.ndarray:
    wrong = np.zeros(len(column), bool)
    if rules.among:
        wrong |= ~np.asarray(pc.is_in(column, pa.array(rules.among, pa.string())))
    length = np.asarray(pc.fill_null(pc.utf8_length(column), 0))
    wrong |= (length < rules.min_length) if rules.min_length is not None else False
    wrong |= (length > rules.max_length) if rules.max_length is not None else False
    if rules.pattern is not None:
        try:
            fits = pc.match_substring_regex(column, f"^(?:{rules.pattern})$")
        except pa.ArrowInvalid:
            raise ParamsError(
                "A pattern under `rules` is none that can be matched.", hint="Write it without look-around."
            ) from None
        wrong |= ~np.asarray(pc.fill_null(fits, True))
    if rules.minimum is not None or rules.maximum is not None:
        money = None if plain else said.money
        wrong |= np.array([_outside(cell, rules, money) for cell in column.to_pylist()], bool)
    return wrong


def _outside(cell: str | None, rules: CellRules, money: MoneyParams | None) -> bool:
    """It is a number beyond the bounds; what is no number is told by its kind."""
    try:
        value = notation.number(cell or "", money)
    except Unreadable:
        return False
    low, high = rules.minimum, rules.maximum
    return (low is not None and value < Decimal(str(low))) or (high is not None and value > Decimal(str(high)))
