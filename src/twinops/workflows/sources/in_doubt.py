"""What your sources leave to a person: who may stand in them twice, noes not wholly read, messages that may ask."""

from collections.abc import Iterator
from pathlib import Path

from twinops.data.own_sources.consents.answers import UNKNOWN_PURPOSE
from twinops.data.own_sources.consents.undated import UNDATED_NO
from twinops.data.own_sources.consents.unread_noes import UNREAD
from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.mapping import UNKNOWN_ANSWER
from twinops.data.own_sources.people.asked_rights import unheard
from twinops.data.own_sources.people.doubles import doubles_in, told_doubles
from twinops.data.own_sources.people.replaced import replaced
from twinops.entities.small_cells import shown
from twinops.params import Params
from twinops.whole_files import told_in
from twinops.workflows.intake import BATCH
from twinops.workflows.places import Places

MOST_PLACES = 20
REMARKS = (
    "{} cells of the column under `replaces` have words and not exactly one customer's number that is known: they join "
    "nobody. Look at them, and write the number alone where it is one person."
)
NOES = {
    UNKNOWN_PURPOSE: (
        "noes are for a purpose that nobody knows, and hold for every purpose until somebody says what the word means: "
        "`codes: {purpose: {WORD: offers}}` of the source of consent, or `none` where it is no purpose of ours."
    ),
    UNREAD: "noes have something else that cannot be read (a basis, a notice, a number), and hold all the same.",
    UNDATED_NO: "noes have no day that can be read, and hold from the last day of their file on.",
    UNKNOWN_ANSWER: "answers are words that nobody knows, and count as a no: `codes: {event: {WORD: granted}}` says "
    "more.",
}


def in_doubt(places: Places, params: Params) -> tuple[str, ...]:
    """A sentence each; files are read for it.

    Raises:
        DataError: a declared source cannot be read.
    """
    own, most = params.own, params.sources.max_rows
    sources = {n: declared(own, n, root=places.root, max_rows=most) for n in own.root if own.root[n].form.personal}
    telling = [s for s in sources.values() if {"email", "birth_year"} & set(s.said.entering)]
    joined = replaced(s for s in sources.values() if s.said.joins)
    found = doubles_in(telling, joined.newest.keys())
    where = " and ".join(f"own.{s.name}" for s in telling)
    twice = [told_doubles(found, where, "`replaces` under columns")] if found else []
    if joined.disputed:
        disputed = f"{shown(joined.disputed) or 'Fewer than ten'} numbers are replaced by two others, or in a circle: "
        twice.append(
            f"{disputed}they join nobody, and a no under one holds under each. The source says whose they are."
        )
    remarks = (REMARKS.format(shown(joined.unread) or "Fewer than ten"),) if joined.unread else ()
    return (*_noes(places), *twice, *remarks, *(told for s in sources.values() if (told := _unheard(s))))


def _noes(places: Places) -> Iterator[str]:
    """Noes that stand though something of them is not understood, as they were collected."""
    path = places.counts("consent", BATCH)
    if not path.is_file():
        return
    with told_in(path) as told:
        many = {reason: int(told["unscored"].get(reason, 0)) for reason in NOES}
    for reason, n in many.items():
        if n:
            yield f"{shown(n) or 'Fewer than ten'} {NOES[reason]}"


def _unheard(source: DeclaredSource) -> str:
    """Messages that may ask for a right in a category that opens no case: where they stand, and nothing of them."""
    places = unheard(source)
    if not places:
        return ""
    more = " and more" if len(places) > MOST_PLACES else ""
    return (
        f"Messages of own.{source.name} whose words look like a request for erasure, a copy or the like, in a category "
        f"that opens no case: {len(places):,}. Look at them here, and take what is one in with `twinops subject "
        f"requests --file`: lines {', '.join(map(str, places[:MOST_PLACES]))}{more} of "
        f"{Path(source.said.path or source.name).name}. A category that asks for a right stands under `requests`."
    )
