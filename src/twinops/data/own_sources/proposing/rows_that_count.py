"""Find the columns that tell which rows of a stranger's file count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.cell_values import is_nothing
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing import line_numbers
from twinops.data.own_sources.proposing.drafting import Choice, Draft, Said, Troubled, code_option, trouble
from twinops.data.own_sources.recognising import date_format, fit, is_number, parts_of, words
from twinops.entities.consent import Event

COUNTS = "counts"
"""How the column is called in `--column sales.counts=THEIRS` and `--code sales.counts:WORD=no`."""
_FEW, _MOST = 12, 500
"""So many words such a column has at most, and so many where a person named one of them."""


def proposed(draft: Draft, said: Said, *, besides: Collection[str] = ()) -> dict[str, dict[str, list[str]]]:
    """The columns that tell which rows count, with the words of those that do; nothing where there is none.

    One has few words, one of them known for what counts and one for what does not; what is not known counts, and is
    asked. Others say by their name what a yes, or a day, in them means: such a row was cancelled.
    """
    named = draft.columns.pop(COUNTS, None)
    draft.choices[:] = [c for c in draft.choices if c.what != COUNTS]
    only = _by_name(draft, named)
    for theirs in [c for c in draft.free if c not in only]:
        kept = _by_words(draft, said, theirs, named=theirs == named)
        only |= {theirs: kept} if kept else {}
    _show_unknown(draft)
    _name_others(draft, {*only, *besides})
    return {"only": only} if only else {}


def words_known(draft: Draft, said: Said) -> None:
    """Refuse words that a person named and no column has.

    Raises:
        Troubled: there is one.
    """
    told = said.words_of(draft.name).get(COUNTS, {})
    held = {c.strip() for name in draft.free for c in draft.file.cells[name]} if told else set()
    lost = [w for w in told if w not in held]
    if lost:
        what = f"no column was seen to hold {', '.join(map(printable, lost))}, said with --code {draft.name}.{COUNTS}."
        raise Troubled(trouble(draft, what, mine=True))


def tells_groups(kind: str, cells: Iterable[str]) -> bool:
    """A word of these is known to tell who was contacted from who was held back, or goods from what is none."""
    role = words()["rows"].get(kind, {})
    return any(_goes_by(word, [*role.get("yes", ()), *role.get("no", ())]) for word in {c.strip() for c in cells})


def _by_words(draft: Draft, said: Said, theirs: str, *, named: bool) -> list[str]:
    role, told = words()["rows"][draft.name], said.words_of(draft.name).get(COUNTS, {})
    found = Counter(c.strip() for c in draft.file.told(theirs) if not is_nothing(c))
    kinds = named or _is_kind(theirs)
    mine = told.keys() & found.keys()
    if not 1 < len(found) <= (_MOST if mine else 2 * _FEW if kinds else _FEW):
        return []
    if any(map(is_number, found)) and not (kinds or mine):
        return []
    out = {w for w in found if told.get(w) == "no" or (w not in told and _is_out(draft, theirs, w))}
    known = {w for w in found if w in told or _goes_by(w, role["yes"])} - out
    if (kinds or (out and known)) and not mine:
        draft.unknown |= {theirs: _shares(found, left)} if (left := set(found) - known - out) else {}
    if not out or not (known or kinds or mine) or out == set(found):
        return []
    return _choose(draft, theirs, found, out)


def _is_kind(theirs: str) -> bool:
    """Its name says a kind, or a state, of lines or receipts, and of nothing else."""
    roles = words()["rows"]["kinds"]
    named, of = ({w for word in roles[k] for w in parts_of(word)} for k in ("named", "of"))
    found = set(parts_of(theirs))
    return bool(found & named) and found <= named | of


def _is_back(draft: Draft, theirs: str, word: str) -> bool:
    """Most of its rows take something back, which is set against its purchase."""
    rows = [i for i, c in enumerate(draft.file.cells[theirs]) if c.strip() == word]
    return 2 * sum(line_numbers.is_below(draft, i) for i in rows) >= len(rows)


def _shares(found: Counter[str], of: set[str]) -> dict[str, float]:
    return {w: n / found.total() for w, n in found.most_common() if w in of}


def _show_unknown(draft: Draft) -> None:
    for theirs, shares in draft.unknown.items():
        listed = ", ".join(f"{printable(w)} {share:.1%}" for w, share in shares.items())
        options = " ".join(code_option(f"{draft.name}.{COUNTS}", w, "no") for w in shares)
        draft.notes.append(
            f"{printable(theirs)} says a kind or a state of rows, and nothing tells whether these are purchases: "
            f"{listed}. They count; of those that are none say {options}"
        )


def _name_others(draft: Draft, others: Collection[str]) -> None:
    """Columns of few words that nothing was made of: by name alone, as the words may be people's."""
    few = []
    for theirs in draft.free:
        found = {c.strip() for c in draft.file.told(theirs) if not is_nothing(c)}
        if theirs not in others and theirs not in draft.unknown and 1 < len(found) <= _FEW:
            few += (
                [] if any(map(is_number, found)) or date_format([*found]) else [f"{printable(theirs)} ({len(found)})"]
            )
    if few:
        draft.notes.append(
            f"Few words stand in {', '.join(few)}: none of them keeps a row out. Where rows with one of them are no "
            f"purchases, say --code '{draft.name}.{COUNTS}:WORD=no'."
        )


def _is_out(draft: Draft, theirs: str, word: str) -> bool:
    role = words()["rows"][draft.name]
    if parts_of(word) in [parts_of(w) for w in role["yes"]] or not _goes_by(word, role["no"]):
        return False
    # what takes back a purchase that stands elsewhere is set against it
    return not _is_back(draft, theirs, word)


def _goes_by(word: str, role: list[str]) -> bool:
    return parts_of(word) in [parts_of(w) for w in role] or fit(word, role, an_id=False) > 0


def _by_name(draft: Draft, named: str | None) -> dict[str, list[str]]:
    """Columns called cancelled, or void, in which a yes or a day stands beside some rows."""
    called = words()["rows"][draft.name].get("out", ())
    return dict(_flag(draft, c) for c in draft.free if c != named and fit(c, called, an_id=False) and _flags(draft, c))


def _flags(draft: Draft, theirs: str) -> bool:
    """It says yes and no, or holds days, and not beside every row; a row with a yes takes nothing back itself."""
    told = [c for c in draft.file.told(theirs) if not is_nothing(c)]
    dated = bool(told) and date_format(told) is not None and len(told) < len(draft.file.cells[theirs])
    says = {_answer(c) for c in told}
    every = len(told) == len(draft.file.cells[theirs]) and Event.REFUSED not in says
    if not dated and (None in says or Event.GRANTED not in says or every):
        return False
    yes = _yes(draft, theirs)
    out = [i for i, c in enumerate(draft.file.cells[theirs]) if c.strip() in yes]
    return 2 * sum(line_numbers.is_below(draft, i) for i in out) < len(out)


def _yes(draft: Draft, theirs: str) -> set[str]:
    """Its cells that mean that the row is out."""
    held = {c.strip() for c in draft.file.told(theirs) if not is_nothing(c)}
    return {c for c in held if _answer(c) != Event.REFUSED}


def _answer(cell: str) -> Event | None:
    """A yes or a no, where numbers with decimals stand for it, too (`1.0`)."""
    return notation.event_of(re.sub(r"[.,]0+$", "", cell.strip()))


def _flag(draft: Draft, theirs: str) -> tuple[str, list[str]]:
    cells = [c.strip() for c in draft.file.cells[theirs]]
    out = _yes(draft, theirs)
    kept = sorted(set(cells) - out)
    shown = ", ".join("nothing" if is_nothing(w) else printable(w) for w in kept)
    draft.choices.append(Choice(draft.name, "rows that count", f"{printable(theirs)}: {shown}", "its name says so"))
    share = sum(c in out for c in cells) / len(cells)
    draft.notes.append(
        f"{printable(theirs)} tells rows that do not count ({share:.1%} of those that were looked at): they are left "
        f"out, and counted. Where they do count, take {printable(theirs)} out of `only` in params.yaml."
    )
    return theirs, kept


def _choose(draft: Draft, theirs: str, found: Counter[str], out: set[str]) -> list[str]:
    kept = sorted(set(found) - out)
    draft.choices.append(Choice(draft.name, "rows that count", ", ".join(map(printable, kept)), "their words say so"))
    shares = ", ".join(f"{printable(w)} {found[w] / found.total():.1%}" for w in sorted(out))
    draft.notes.append(
        f"{printable(theirs)} tells which rows count: {', '.join(map(printable, kept))} do, and what else stands there "
        f"is left out and counted ({shares} of the rows that were looked at). If one of them counts, say "
        f"{code_option(f'{draft.name}.{COUNTS}', min(out), 'yes')}; `only` in params.yaml says it."
    )
    return kept
