"""Write down what the sources of your own hold now, for DVC to watch and for `collect` to compare."""

from dataclasses import dataclass

from twinops.data.own_sources import lock
from twinops.data.own_sources.declared import declared
from twinops.own_params import OwnParams
from twinops.params import SourcesParams
from twinops.workflows.declared_use import against_nobody
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Fingerprinted:
    """Records per source and file."""

    records: dict[str, dict[str, int]]


def fingerprint(*, places: Places, sources: SourcesParams, own: OwnParams) -> Fingerprinted:
    """Read every declared source in full and write `sources.lock.json`.

    Raises:
        ParamsError: it is data of real people, and the controller is made up.
    """
    against_nobody(places, own)
    found = {
        name: lock.fingerprint(declared(own, name, root=places.root, max_rows=sources.max_rows)) for name in own.root
    }
    lock.write(places.sources_lock, found)
    return Fingerprinted({name: {f: facts["records"] for f, facts in of.items()} for name, of in found.items()})
