"""Which categories of customer service ask for a right, by their words; what a text asks is never guessed."""

from __future__ import annotations

from typing import Any

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.people.asked_rights import kind_of
from twinops.data.own_sources.proposing.drafting import Choice, Draft, Said, code_option
from twinops.data.own_sources.proposing.sampling import every_cell

MOST = 60
"""More words than these are no categories."""


def proposed(draft: Draft, said: Said) -> dict[str, Any]:
    """What a person said, else what their words say; and how to say one that was not found."""
    told = said.words_of(draft.name).get("requests", {})
    theirs = draft.columns.get("category")
    there = {c.strip() for c in every_cell(draft.file, theirs) if not notation.is_nothing(c)} if theirs else set()
    if len(there) <= MOST:
        told = {word: kind for word in sorted(there) if (kind := kind_of(word))} | told
    for word, kind in told.items():
        why = "whoever writes in this category asks for it: it becomes a case (`twinops subject requests`)"
        draft.choices.append(Choice(draft.name, f"requests: {kind}", printable(word), why))
    if not told and there and len(there) <= MOST:
        way = code_option(f"{draft.name}.requests", "WORD", "erasure")
        draft.notes.append(
            f"No category of {draft.file.path.name} is known to ask for a right, such as a copy, an objection or an "
            f"erasure. If one does, {way} says it, and its messages become cases."
        )
    return {"requests": told} if told else {}
