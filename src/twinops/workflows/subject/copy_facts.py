"""What a person's copy is made of, before it is written down: rows, the portrait, and what codes and columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from twinops.data import products
from twinops.data.own_sources.codes import STANDS_FROM
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.mapping import READ_IN, stood_in
from twinops.data.own_sources.spelled import Spelling, spelled
from twinops.data.texts import language
from twinops.entities.consent import Purpose
from twinops.entities.rights import LearnedVersion
from twinops.entities.wording import Wording
from twinops.errors import DataError, TwinopsError
from twinops.evaluation.segments.measures import cells_of_one
from twinops.governance.copy_cells import CopyNames
from twinops.own_params import OwnParams
from twinops.ports import LearnedFrom
from twinops.twin.answers.portrait import Portrait
from twinops.twin.state.features import WINDOWS
from twinops.whole_files import told_in
from twinops.workflows.receipts import TRANSACTIONS
from twinops.workflows.subject.held_rows import HeldRows, OnePerson
from twinops.workflows.twin.access import told_to
from twinops.workflows.twin.open import Consumer, Opener, shipped

MOST_ROWS = 10**9
"""Of a file that was taken once; what it may hold was judged then."""


@dataclass(frozen=True)
class CopyFacts:
    """All that is known of the person; `held` by sources, `made` of it."""

    person: OnePerson
    portrait: Portrait | None
    held: tuple[HeldRows, ...]
    made: tuple[HeldRows, ...]
    learned: tuple[LearnedVersion, ...]
    segments: Mapping[str, str]
    segments_day: str
    """The day whose figures put the person into them, which is the last that was worked out, not today."""
    words: Wording
    names: CopyNames
    invented: Mapping[str, frozenset[str]]
    """Columns of a source in which a value stands that the shop's data do not tell."""
    unread: Mapping[str, str]
    """The language of a source's texts, where nobody here reads it."""
    tastes_kept: bool = False
    """No taste is told, for nobody looked through the goods."""


def gathered(sids: tuple[str, ...], opener: Opener, learned: LearnedFrom) -> CopyFacts:
    """Everything that is held under these ids, all one person's."""
    person = OnePerson(opener.receipts, sids)
    consumer = _household(sids, opener)
    shown = None if consumer is None else told_to(consumer, sids, opener=opener).portrait
    held, made = tuple(person.sources()), tuple(person.made())
    spelling = {h.name: _spelling(h, opener) for h in held}
    held = tuple(_spelled_out(h, spelling[h.name]) for h in held)
    segments, day = ({}, "") if consumer is None else _segments(consumer, opener)
    words, own = opener.words.wording, opener.receipts.own
    names = _names(opener, spelling.get(TRANSACTIONS, {}))
    invented = {h.name: _invented(h.name, own) for h in held}
    invented |= {h.name: _figures_of(invented) for h in made}
    unread = {h.name: called for h in held if (called := _unread_in(h.name, own))}
    kept, versions = own.unseen_products, learned.of(sids)
    return CopyFacts(person, shown, held, made, versions, segments, day, words, names, invented, unread, kept)


def _spelling(held: HeldRows, opener: Opener) -> Spelling:
    """How the shop's own files write the codes of these rows; nothing where there are none, or no file any more."""
    own, found = opener.receipts.own, Spelling()
    for name in own.all_staged_as(held.name):
        coded = [c for c in held.columns if own.root[name].form.columns.get(c) == "code"]
        wanted = {
            c: frozenset(v for row in held.rows if isinstance(v := row[c], int) and v >= STANDS_FROM) for c in coded
        }
        try:
            source = declared(own, name, root=opener.places.root, max_rows=MOST_ROWS)
            texts = spelled(source, wanted) if any(wanted.values()) else {}
        except TwinopsError:
            # a copy without a name of a shop is better than none
            continue
        for column, of in texts.items():
            found[column] = of | found.get(column, {})
    return found


def _spelled_out(held: HeldRows, spelling: Spelling) -> HeldRows:
    """With the person's receipts, shops and articles as their own shop writes them (art. 15: it is their data)."""
    if not spelling:
        return held
    rows = tuple({c: spelling.get(c, {}).get(v, v) for c, v in row.items()} for row in held.rows)
    return replace(held, rows=rows)


def _names(opener: Opener, spelling: Spelling) -> CopyNames:
    """What articles, kinds of goods and money are called here."""
    goods = products.opened(opener.places.products).to_pylist()
    called: dict[int | str, str] = {
        row["product_id"]: row["product_type"] or row["product_category"] or "" for row in goods
    }
    called |= {text: called[n] for n, text in spelling.get("product_id", {}).items() if n in called}
    kinds = opener.places.taste_categories
    categories: tuple[str, ...] = ()
    if kinds.is_file():
        with told_in(kinds) as names:
            categories = tuple(map(str, names))
    words = opener.words.wording
    return CopyNames(words.currency, opener.grid.horizon_days, words.minor_units, called, categories)


def _invented(source: str, own: OwnParams) -> frozenset[str]:
    """Of all files that together make this source, what none of them tells."""
    lacking = [stood_in(own.root[name]) for name in own.all_staged_as(source)]
    columns = frozenset.intersection(*lacking) if lacking else frozenset()
    return columns | {f"{c}ount_cents" for c in columns if c.endswith("_disc")}


def _unread_in(source: str, own: OwnParams) -> str | None:
    """The declared language of all its texts, by name, if it is one that is not read; a file may have no texts."""
    declared = {own.root[n].language or READ_IN for n in own.all_staged_as(source) if "text" in own.root[n].entering}
    return None if not declared or READ_IN in declared else " or ".join(sorted(map(language.called, declared)))


def _figures_of(invented: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What was worked out of shops that nobody told."""
    told = "store_id" not in invented.get(TRANSACTIONS, ())
    return frozenset() if told else frozenset(f"stores_{w}" for w in WINDOWS)


def _household(sids: Sequence[str], opener: Opener) -> Consumer | None:
    """The one of their records that a twin may be of; None: only other sources know them."""
    for sid in sids:
        try:
            return opener.consumer(sid)
        except DataError:
            continue
    return None


def _segments(consumer: Consumer, opener: Opener) -> tuple[Mapping[str, str], str]:
    """The groups the person is counted in, and as of which day; nobody is predicted who does not allow it."""
    places = opener.places
    if consumer.refusal(Purpose.SCORING.value) is not None or not places.model.is_file():
        return {}, ""
    rows = consumer.tables.parted(places.both(places.panel), otherwise=consumer.lines.slice(0, 0))
    if "cutoff" not in rows.column_names or not rows.num_rows:
        return {}, ""
    last = pc.max(rows["cutoff"])
    newest = rows.filter(pc.equal(rows["cutoff"], last))
    day = opener.receipts.days.date_of(last.as_py()).isoformat()
    given = shipped(places)
    return cells_of_one(newest, given.model, given.support), day
