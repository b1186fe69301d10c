"""Take a source in that comes as one whole table, unless it is switched off: then nothing is read of it."""

from __future__ import annotations

from twinops import plugins
from twinops.data.door import BatchRead
from twinops.errors import ParamsError
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import ALL_ON, SourcesParams, SwitchesParams
from twinops.ports import Engine, KeyStore
from twinops.workflows.collect import Collected, collect, nobody, take
from twinops.workflows.places import Places

BATCH = "all"
SHELF = "twinops.data.sources"


def collect_profile(  # noqa: PLR0913  (ports and sections are injected by type)
    source: str,
    *,
    places: Places,
    engine: Engine,
    keys: KeyStore,
    sources: SourcesParams,
    own: OwnParams = NOTHING_OWN,
    on: SwitchesParams = ALL_ON,
) -> Collected:
    """Collect one of these sources, shipped or your own; see `collect`.

    Raises:
        ParamsError: there is no such source.
    """
    module = plugins.load(SHELF, source)
    if not getattr(module, "WHOLE", False):
        raise ParamsError(f"The source {source} does not come as one whole table.", hint="See dvc.yaml.")
    if on.off(source):
        return take(BatchRead(nobody(module), 0), module, batch=BATCH, places=places, keys=keys, off=True)
    return collect(source, BATCH, places=places, engine=engine, keys=keys, sources=sources, own=own)
