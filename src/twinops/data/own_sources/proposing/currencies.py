"""Find the column that tells each line's currency; amounts of several are never added up."""

from __future__ import annotations

from collections import Counter

from twinops.data.own_sources.cell_values import is_nothing
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing.drafting import Choice, Draft, Said, Troubled, trouble
from twinops.data.own_sources.recognising import beside, currency_in, parts_of, words
from twinops.data.reading.plain_letters import plain

_MOST = 50


def look(draft: Draft, said: Said) -> None:
    """Note how much of the lines each currency has, where a column tells several.

    Raises:
        Troubled: the said one is none of them, or amounts themselves are written in several.
    """
    theirs = _column(draft)
    if theirs is None:
        _refuse_signs(draft)
        return
    found = Counter(filter(None, map(_code, draft.file.told(theirs))))
    if len(found) < 2:
        return
    draft.currencies = {code: n / found.total() for code, n in found.most_common()}
    if said.currency and said.currency.upper() not in found:
        what = f"{printable(theirs)} tells the currencies {', '.join(found)}, and {said.currency.upper()} is none."
        raise Troubled(trouble(draft, what, f"--currency {next(iter(draft.currencies))}", mine=True))


def proposed(draft: Draft, said: Said) -> dict[str, list[str]]:
    """The column with its words for the one currency that is read: the said one, else the commonest."""
    theirs = _column(draft)
    if theirs is None or not draft.currencies:
        return {}
    code = chosen(draft, said)
    held = {c.strip() for c in draft.file.cells[theirs]}
    kept = sorted(c for c in held if _code(c) == code or is_nothing(c))
    others = ", ".join(f"{c} {share:.1%}" for c, share in draft.currencies.items() if c != code)
    why = "you said so" if said.currency else "it is the commonest, and several are never added up"
    draft.choices.append(Choice(draft.name, "only", f"{printable(theirs)}: {code}", why))
    empty = f" Where {printable(theirs)} is empty, {code} is taken." if any(map(is_nothing, kept)) else ""
    draft.notes.append(
        f"{printable(theirs)} tells several currencies: lines in {code} are read, and {others} are left out and "
        f"counted, as no rate is known here.{empty} Turn all amounts into one currency in the file to have them "
        f"all, or say --currency for another one; `only` in params.yaml says it."
    )
    return {theirs: kept}


def chosen(draft: Draft, said: Said) -> str | None:
    """The currency that is read where there are several."""
    if not draft.currencies:
        return None
    return said.currency.upper() if said.currency else next(iter(draft.currencies))


def _column(draft: Draft) -> str | None:
    """The one called so, or whose cells are all codes of currencies."""
    called = set(map(plain, words()["currency_columns"]))
    named = [c for c in draft.free if set(parts_of(c)) & called]
    return next((c for c in [*named, *draft.free] if _holds_codes(draft, c)), None)


def _holds_codes(draft: Draft, theirs: str) -> bool:
    held = {c.strip() for c in draft.file.cells[theirs] if not is_nothing(c)}
    return 0 < len(held) <= _MOST and all(map(_code, held))


def _code(cell: str) -> str | None:
    told = cell.strip().casefold()
    listed = words()["currencies"]
    return next((code for code, marks in listed.items() if told == code.casefold() or told in marks), None)


def _refuse_signs(draft: Draft) -> None:
    """Signs of several currencies beside the amounts, each on more than one line in a hundred."""
    for ours in ("sales_value", "unit_price"):
        cells = draft.file.cells[draft.columns[ours]] if ours in draft.columns else []
        signs = Counter(mark for c in cells for mark in beside([c]))
        often = [mark for mark, n in signs.items() if n * 100 > len(cells)]
        codes = {code for mark in often if (code := currency_in((), [f"1 {mark}"]))}
        if len(codes) > 1:
            what = (
                f"{printable(draft.columns[ours])} is written in {', '.join(sorted(codes))}, which are not added up. "
                "Put the currency in a column of its own, or hand over a file for each."
            )
            raise Troubled(trouble(draft, what))
