"""Find what shows that a yes was given: when it was confirmed, and where it comes from, which only people judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.consents.proved_yes import CONFIRMED, YES_ONLY, confirms
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing.drafting import Choice, Draft, Said, Troubled, code_option, must_exist, trouble
from twinops.data.own_sources.proposing.sampling import every_cell
from twinops.data.own_sources.recognising import date_format, fit, words
from twinops.entities.consent import Event

_MOST = 12
"""More words than these are no origins."""


def speaks(theirs: str, of: str = CONFIRMED) -> bool:
    """A column's name says that something was confirmed, or where it comes from."""
    return fit(theirs, words()["proof"][of], an_id=False) > 0


def proposed(draft: Draft, said: Said, answers: Iterable[str], codes: Mapping[str, str]) -> dict[str, Any]:
    """The column without which a yes is pending, where some lack it; and of origins what was said, else how to say it.

    Raises:
        Troubled: a column or a word that was said is not there.
    """
    answers = tuple(answers)
    return _confirmed(draft, answers, codes) | _origins(draft, said, answers)


def _confirmed(draft: Draft, answers: tuple[str, ...], codes: Mapping[str, str]) -> dict[str, Any]:
    named = draft.columns.pop(CONFIRMED, None)
    for theirs in (named,) if named else (c for c in draft.file.cells if c not in answers and speaks(c)):
        yeses = _yeses(draft, answers, codes)
        of = _asked_of(draft, theirs, yeses)
        yeses = [i for i in yeses if all(draft.file.cells[c][i].strip() in among for c, among in of.items())]
        shown = [confirms(draft.file.cells[theirs][i]) for i in yeses]
        lack = shown.count(False)
        if named or (lack and any(shown)):
            if not named:
                why = f"its name says so; {lack:,} of {len(shown):,} yeses lack it: they are pending, and no answer yet"
                draft.choices.append(Choice(draft.name, CONFIRMED, printable(theirs), why, draft.file.shapes(theirs)))
            for column, among in of.items():
                words_ = f"{printable(column)}: {', '.join(map(printable, among))}"
                why = "no yes of another origin is ever confirmed, so of those it is not asked"
                draft.choices.append(Choice(draft.name, "confirmed_of", words_, why))
            return {CONFIRMED: theirs} | ({"confirmed_of": of} if of else {})
    return {}


def _asked_of(draft: Draft, confirmed: str, yeses: list[int]) -> dict[str, list[str]]:
    """The origins of which any yes is confirmed, where others have none: a form on paper needs no second yes."""
    for theirs in (c for c in draft.free if c != confirmed and speaks(c, "origin")):
        cells = draft.file.cells[theirs]
        every = {cells[i].strip() for i in yeses}
        among = {cells[i].strip() for i in yeses if confirms(draft.file.cells[confirmed][i])}
        if 1 < len(every) <= _MOST and among and among != every:
            return {theirs: sorted(among)}
    return {}


def _yeses(draft: Draft, answers: tuple[str, ...], codes: Mapping[str, str]) -> list[int]:
    """Rows that say yes to anything, of those that were looked at."""

    def yes(cell: str) -> bool:
        means = codes.get(cell.strip(), cell)
        return notation.event_of(means) is Event.GRANTED or means == Event.GRANTED

    cells = [draft.file.cells[c] for c in answers]
    return [i for i, row in enumerate(zip(*cells, strict=True)) if any(map(yes, row))]


def _origins(draft: Draft, said: Said, answers: tuple[str, ...]) -> dict[str, Any]:
    told = {c: [*_listed(among)] for c, among in said.words_of(draft.name).get(YES_ONLY, {}).items()}
    for theirs, among in told.items():
        must_exist(draft, f"{YES_ONLY}:WORD", theirs)
        held = {cell.strip() for cell in every_cell(draft.file, theirs)}
        if lost := [word for word in among if word not in held]:
            what = f"{printable(theirs)} does not hold {', '.join(map(printable, lost))}."
            raise Troubled(trouble(draft, what, mine=True))
        why = "you said so: a yes with another word there does not count, a no always does"
        draft.choices.append(Choice(draft.name, YES_ONLY, f"{printable(theirs)}: {', '.join(among)}", why))
    if told:
        return {YES_ONLY: told}
    for theirs in [c for c in draft.free if c not in answers and speaks(c, "origin")]:
        found = Counter(c.strip() for c in draft.file.told(theirs) if not notation.is_nothing(c))
        if 1 < len(found) <= _MOST and date_format(draft.file.cells[theirs]) is None:
            shares = ", ".join(f"{printable(w)} {n / found.total():.0%}" for w, n in found.most_common())
            draft.notes.append(
                f"{printable(theirs)} says where each answer comes from ({shares}), and a yes of each counts. If some "
                f"of these prove no consent, say those that do, with commas between: "
                f"{code_option(f'{draft.name}.{YES_ONLY}', theirs, ','.join(w for w, _ in found.most_common(2)))}"
            )
    return {}


def _listed(among: str) -> Iterable[str]:
    return filter(None, map(str.strip, among.split(",")))
