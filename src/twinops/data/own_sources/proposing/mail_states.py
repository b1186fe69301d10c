"""A list for mail has states: whom they keep out, and which of its days is the day of that no."""

from __future__ import annotations

from collections.abc import Mapping

from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing.drafting import Choice, Draft
from twinops.data.own_sources.recognising import fit, words
from twinops.data.reading.plain_letters import plain

_STATES = 12
_STRAY = 0.02


def states_in(draft: Draft) -> dict[str, list[str]]:
    """Of a list with states those that keep somebody out: all but such as `active`, which get mail."""
    active = frozenset(map(plain, words()["active"]))
    for theirs in draft.free:
        found = {x.strip() for x in draft.file.told(theirs)}
        fine = {x for x in found if plain(x) in active}
        if fine and 1 < len(found) <= _STATES and fit(theirs, words()["ledger"]["event"], an_id=False) > 0:
            out, named = sorted(found - fine), ", ".join(map(printable, sorted(fine)))
            why = f"{named} keeps nobody out; every other state there does"
            draft.choices.append(Choice(draft.name, f"whoever has in {printable(theirs)}", ", ".join(out), why))
            return {theirs: out}
    return {}


def days_of_a_no(draft: Draft, dates: list[str], states: Mapping[str, list[str]]) -> list[str]:
    """Of the columns of days those that are filled for them alone whom the list keeps out.

    A day that everybody has is the one of signing up: a no that bore it would fall to a yes from after it.
    """
    ((theirs, out),) = states.items()
    cells = [c.strip() for c in draft.file.cells[theirs]]
    others = [i for i, cell in enumerate(cells) if cell and cell not in out]
    found = [d for d in dates if sum(bool(draft.file.cells[d][i].strip()) for i in others) <= len(others) * _STRAY]
    if not found:
        draft.notes.append(
            f"No column of days in {draft.file.path.name} is filled for those alone who get no mail, so the day of "
            "their no is unknown: it holds whatever they said elsewhere, and when. If a column has it, `time` under "
            "its columns says which."
        )
    return found
