"""What your sources leave to a person: who may stand in them twice."""

from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.doubles import doubles_in, told_doubles
from twinops.data.own_sources.replaced import replaced
from twinops.params import Params
from twinops.workflows.places import Places


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
    return (told_doubles(found, where, "`replaces` under columns"),) if found else ()
