"""What your sources leave to a person: who may stand in them twice, and messages that may ask for a right."""

from pathlib import Path

from twinops.data.own_sources.asked_rights import unheard
from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.doubles import doubles_in, told_doubles
from twinops.data.own_sources.replaced import replaced
from twinops.params import Params
from twinops.workflows.places import Places

MOST_PLACES = 20


def in_doubt(places: Places, params: Params) -> tuple[str, ...]:
    """A sentence each; files are read for it.

    Raises:
        DataError: a declared source cannot be read.
    """
    own, most = params.own, params.sources.max_rows
    sources = {n: declared(own, n, root=places.root, max_rows=most) for n in own.root if own.root[n].form.personal}
    telling = [s for s in sources.values() if {"email", "birth_year"} & set(s.said.entering)]
    found = doubles_in(telling, replaced(s for s in sources.values() if s.said.joins).newest.keys())
    where = " and ".join(f"own.{s.name}" for s in telling)
    twice = (told_doubles(found, where, "`replaces` under columns"),) if found else ()
    return (*twice, *(told for s in sources.values() if (told := _unheard(s))))


def _unheard(source: DeclaredSource) -> str:
    """Messages that may ask for a right in a category that opens no case: where they stand, and nothing of them."""
    places = unheard(source)
    if not places:
        return ""
    more = " and more" if len(places) > MOST_PLACES else ""
    return (
        f"{len(places):,} messages of own.{source.name} have words that look like a request for erasure, a copy or the "
        f"like, in a category that opens no case: lines {', '.join(map(str, places[:MOST_PLACES]))}{more} of "
        f"{Path(source.said.path or source.name).name}. Look at them, and take what is one in with "
        "`twinops subject requests --file`; a category that asks for a right stands under `requests`."
    )
