"""Find the column that tells which rows of a stranger's file count."""

from __future__ import annotations

from collections import Counter

from twinops.data.own_sources.cell_values import is_nothing
from twinops.data.own_sources.cells import printable
from twinops.data.own_sources.drafting import Choice, Draft, Said, code_option
from twinops.data.own_sources.recognising import fit, is_number, words

COUNTS = "counts"
"""How the column is called in `--column sales.counts=THEIRS` and `--code sales.counts:WORD=no`."""
_FEW = 12
"""So many words such a column has at most."""


def proposed(draft: Draft, said: Said) -> dict[str, dict[str, list[str]]]:
    """The column that tells which rows count, with the words of those that do; nothing where there is none.

    It has few words, one of them known for what counts and one for what does not; what is not known counts.
    """
    named = draft.columns.pop(COUNTS, None)
    draft.choices[:] = [c for c in draft.choices if c.what != COUNTS]
    role = words()["rows"][draft.name]
    told = said.words_of(draft.name).get(COUNTS, {})
    for theirs in (named,) if named else draft.free:
        found = Counter(c.strip() for c in draft.file.told(theirs) if not is_nothing(c))
        if not 1 < len(found) <= _FEW or any(map(is_number, found)):
            continue
        out = {w for w in found if told.get(w) == "no" or (w not in told and _goes_by(w, role["no"]))}
        known = {w for w in found if w in told or _goes_by(w, role["yes"])} - out
        if not out or not (known or named):
            continue
        return {"only": {theirs: _choose(draft, theirs, found, out)}}
    return {}


def _goes_by(word: str, role: list[str]) -> bool:
    return fit(word, role, an_id=False) > 0


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
