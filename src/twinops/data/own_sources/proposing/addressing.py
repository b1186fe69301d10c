"""Which source each word of a person on the command line is about; what is about none is told, all at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from difflib import get_close_matches

from twinops.data.own_sources.cell_values import event_of
from twinops.data.own_sources.consents.answers import NONE, purposes_in
from twinops.data.own_sources.consents.proved_yes import CONFIRMED, YES_ONLY
from twinops.data.own_sources.proposing.drafting import Said, Trouble, code_option, column_option
from twinops.data.own_sources.proposing.rows_that_count import COUNTS
from twinops.data.own_sources.recognising import words
from twinops.entities.consent import SAID, Purpose
from twinops.own_kinds import CHANNEL, form

KINDS = {"sales": "transactions", "customers": "profiles", "optins": "consent", "optouts": "optouts"}
"""The files that have options of their own, and their kinds."""
_ALSO_CALLED = {"opt_ins": "optins", "opt_outs": "optouts", **{kind: name for name, kind in KINDS.items()}}
NO_ANSWERS = ("purpose", CHANNEL, YES_ONLY)
"""What a word of the opt-ins may be said of beside what people answered."""
_ANY_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


def addressed(said: Said, sources: Collection[str]) -> tuple[Said, tuple[Trouble, ...]]:
    """The same with `SOURCE.` before every column and word, and what cannot be placed; `sources` are handed over."""
    columns: dict[str, str] = {}
    codes: dict[str, str] = {}
    wrong: list[Trouble] = []
    for ours, theirs in said.columns.items():
        place = _placed(ours, sources)
        columns |= {place: theirs} if place else {}
        wrong += [] if place else [_nowhere(ours, sources, column_option("", "{}", theirs).replace(".{}", "{}"))]
    for at, means in said.codes.items():
        column, _, word = at.partition(":")
        place = _placed(column, sources)
        codes |= {f"{place}:{word}": means} if place else {}
        wrong += [] if place else [_nowhere(column, sources, code_option("{}", word, means))]
    return replace(said, columns=columns, codes=codes), tuple(wrong)


def _placed(ours: str, sources: Collection[str]) -> str | None:
    """`SOURCE.COLUMN`, where a source that is there has such a column."""
    name, sign, column = ours.rpartition(".")
    if sign:
        name = _ALSO_CALLED.get(name, name)
        return f"{name}.{column}" if name in sources and _knows(name, column) else None
    return next((f"{s}.{ours}" for s in sources if ours in known(s)), None)


def _knows(source: str, column: str) -> bool:
    kind = KINDS.get(source, source)
    if column == COUNTS and source in words()["rows"]:
        return True
    return column in known(source) or (form(kind).answers and _ANY_NAME.fullmatch(column) is not None)


def known(source: str) -> tuple[str, ...]:
    """The columns that can be said of a source."""
    kind = KINDS.get(source, source)
    mine = {"sales": tuple(words()["columns"]), "optins": (*map(str, Purpose), CONFIRMED, YES_ONLY)}
    return tuple(dict.fromkeys((*mine.get(source, ()), *form(kind).columns, *form(kind).settled_by)))


def _nowhere(ours: str, sources: Collection[str], option: str) -> Trouble:
    column = ours.rpartition(".")[2]
    every = [f"{s}.{c}" for s in sources for c in known(s)]
    near = [p for p in every if p.endswith(f".{column}")] or get_close_matches(ours, every, 1, 0.5)
    told = "; ".join(f"{s}: {', '.join(known(s))}" for s in sources)
    what = f"there is no column {ours!r} of ours in any file that was named. Ours are {told}."
    return Trouble("options", what, (), tuple(option.replace("{}", n) for n in near[:1]), mine=True)


def unlike(said: Said) -> Iterator[Trouble]:
    """Words that are said to mean what nothing means here, or one thing in one column and another in the next."""
    meant: dict[str, str] = {}
    yield from (t for source in ("optins", "optouts") for t in _meaningless(said, source))
    told = {column: pairs for column, pairs in said.words_of("optins").items() if column not in NO_ANSWERS}
    for word, means in ((w, m) for pairs in told.values() for w, m in pairs.items()):
        if meant.setdefault(word, means) != means:
            what = f"{word!r} is said to mean {meant[word]} and {means}; one word means one thing in a file."
            yield Trouble("options", what, mine=True)


def _meaningless(said: Said, source: str) -> Iterator[Trouble]:
    """Words for answers and purposes whose meaning is none of ours."""
    for column, pairs in said.words_of(source).items():
        if column == YES_ONLY:  # their own words for where a yes comes from
            continue
        known = [*Purpose, NONE] if column == "purpose" else [*SAID, "yes", "no"]
        for word, means in pairs.items():
            if column == "purpose":
                fits = set(purposes_in(means)) <= set(Purpose)
            else:
                fits = means in SAID or event_of(means) is not None
            if not fits:
                near = get_close_matches(means, known, 1, 0.5) or known[:1]
                several = "; one word may mean several, with commas between" if column == "purpose" else ""
                what = f"{word!r} cannot mean {means!r}; it can mean {', '.join(known)}{several}."
                yield Trouble("options", what, (), (code_option(f"{source}.{column}", word, near[0]),), mine=True)
