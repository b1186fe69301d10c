"""Find the columns that tell which rows of a stranger's file count."""

from __future__ import annotations

from collections import Counter

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.cell_values import is_nothing
from twinops.data.own_sources.cells import printable
from twinops.data.own_sources.drafting import Choice, Draft, Said, code_option
from twinops.data.own_sources.proposing import line_numbers
from twinops.data.own_sources.recognising import date_format, fit, is_number, parts_of, words
from twinops.entities.consent import Event

COUNTS = "counts"
"""How the column is called in `--column sales.counts=THEIRS` and `--code sales.counts:WORD=no`."""
_FEW = 12
"""So many words such a column has at most."""


def proposed(draft: Draft, said: Said) -> dict[str, dict[str, list[str]]]:
    """The columns that tell which rows count, with the words of those that do; nothing where there is none.

    One has few words, one of them known for what counts and one for what does not; what is not known counts. Others say
    by their name what a yes, or a day, in them means: such a row was cancelled.
    """
    named = draft.columns.pop(COUNTS, None)
    draft.choices[:] = [c for c in draft.choices if c.what != COUNTS]
    only = _by_words(draft, said, named) | _by_name(draft, named)
    return {"only": only} if only else {}


def _by_words(draft: Draft, said: Said, named: str | None) -> dict[str, list[str]]:
    role = words()["rows"][draft.name]
    told = said.words_of(draft.name).get(COUNTS, {})
    for theirs in (named,) if named else draft.free:
        found = Counter(c.strip() for c in draft.file.told(theirs) if not is_nothing(c))
        if not 1 < len(found) <= _FEW or any(map(is_number, found)):
            continue
        out = {w for w in found if told.get(w) == "no" or (w not in told and _is_out(draft, theirs, w))}
        known = {w for w in found if w in told or _goes_by(w, role["yes"])} - out
        if not out or not (known or named):
            continue
        return {theirs: _choose(draft, theirs, found, out)}
    return {}


def _is_out(draft: Draft, theirs: str, word: str) -> bool:
    role = words()["rows"][draft.name]
    if parts_of(word) in [parts_of(w) for w in role["yes"]] or not _goes_by(word, role["no"]):
        return False
    # what takes back a purchase that stands elsewhere is set against it
    rows = [i for i, c in enumerate(draft.file.cells[theirs]) if c.strip() == word]
    return 2 * sum(line_numbers.is_below(draft, i) for i in rows) < len(rows)


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
    says = {notation.event_of(c) for c in told}
    every = len(told) == len(draft.file.cells[theirs]) and Event.REFUSED not in says
    if not dated and (None in says or Event.GRANTED not in says or every):
        return False
    out = [i for i, c in enumerate(draft.file.cells[theirs]) if c.strip() in _yes(draft, theirs)]
    return 2 * sum(line_numbers.is_below(draft, i) for i in out) < len(out)


def _yes(draft: Draft, theirs: str) -> set[str]:
    """Its cells that mean that the row is out."""
    held = {c.strip() for c in draft.file.told(theirs) if not is_nothing(c)}
    return {c for c in held if notation.event_of(c) != Event.REFUSED}


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
