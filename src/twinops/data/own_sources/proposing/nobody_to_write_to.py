"""Point at columns of the customers that tell whom no offer should reach: the dead, staff, who wished no letters.

Nothing is done by a guess: what is found is counted, with the option that acts on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from twinops.data.own_sources.cell_values import LISTED, is_nothing
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing.drafting import Draft, Said, Troubled, code_option, trouble
from twinops.data.own_sources.receipts.counted_rows import holds
from twinops.data.reading.plain_letters import plain
from twinops.entities.consent import Purpose

SAID = ("no_offers", "left_out")
"""As which such a column is said, by a word that stands in it, and the sources that come of it."""
_FEW = 12
_SMALL = 10


def tell(draft: Draft, said: Said) -> None:
    """A note for each column that nothing was said of, and that holds words for such people."""
    named = {c for name in SAID for c in said.words_of(draft.name).get(name, {})}
    patterns = {what: re.compile("|".join(map(_pattern, words))) for what, words in _listed()}
    for theirs in (c for c in draft.free if c not in named):
        cells = [c.strip() for c in draft.file.told(theirs) if not is_nothing(c)]
        if 2 * sum("@" in c for c in cells) > len(cells):
            continue  # an address at a firm makes nobody one
        spelled = {c: plain(c) for c in set(cells)}
        hit = {what: {c for c, text in spelled.items() if pattern.search(text)} for what, pattern in patterns.items()}
        found = {what: [c for c in cells if c in hit[what]] for what in patterns}
        about = {what: told for what, told in found.items() if told}
        if not about or len({c for told in about.values() for c in told}) == len(set(cells)) > 1:
            continue
        hits = {c for told in about.values() for c in told}
        as_they_stand = len(set(cells)) <= _FEW and not any("," in c for c in hits)
        used = hits if as_they_stand else {w for _, ws in _listed() for w in ws if any(holds(c, w) for c in hits)}
        counts = ", ".join(f"{what}: {len(told) if len(told) >= _SMALL else 'a few'}" for what, told in about.items())
        option = code_option(f"{draft.name}.{SAID[0]}", theirs, ",".join(sorted(used)))
        draft.notes.append(
            f"{printable(theirs)} of {draft.file.path.name} holds words that tell of people who should perhaps get no "
            f"offers ({counts}), and nothing is done by it. {option} keeps offers from whoever has one of these words "
            f"there; with {SAID[1]} for {SAID[0]} they are out of everything."
        )


def _pattern(word: str) -> str:
    """The same as `holds` looks for, in text that is plain already."""
    ends = r"\w*" if word.endswith("*") else ""
    apart = r"\W+".join(map(re.escape, plain(word.rstrip("*")).split()))
    return rf"(?<!\w){apart}{ends}(?!\w)"


def _listed() -> Iterator[tuple[str, tuple[str, ...]]]:
    for what, words in LISTED["outside"].items():
        yield what.replace("_", " "), tuple(w.replace("_", " ") for w in str(words).split())


def sources(draft: Draft, said: Said) -> Iterator[tuple[str, dict[str, list[str]], dict[str, str]]]:
    """Name, words by column, and constants of each list that was said to stand in the customers' file.

    Raises:
        Troubled: a column, or each of its words, is not there.
    """
    for name in SAID:
        asked = said.words_of(draft.name).get(name, {})
        words = {theirs: [w.strip() for w in told.split(",") if w.strip()] for theirs, told in asked.items()}
        for theirs, told in words.items():
            if theirs not in draft.file.cells:
                raise Troubled(trouble(draft, f"there is no column {printable(theirs)}.", mine=True))
            lost = [w for w in told if not any(holds(c, w) for c in draft.file.told(theirs))]
            if lost:
                what = f"no cell of {printable(theirs)} that was looked at holds {', '.join(map(printable, lost))}."
                raise Troubled(trouble(draft, what, mine=True))
        if words:
            yield name, words, {"purpose": str(Purpose.OFFERS)} if name == SAID[0] else {}
