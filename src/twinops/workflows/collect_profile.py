"""Take demographics, campaigns or redemptions in, unless they are switched off: then nothing is read of them."""

from __future__ import annotations

from twinops import plugins
from twinops.data.door import BatchRead
from twinops.errors import ParamsError
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import SourcesParams, SwitchesParams
from twinops.ports import Engine, KeyStore
from twinops.workflows.collect import Collected, collect, nobody, take
from twinops.workflows.places import Places

BATCH = "all"
SOURCES = ("demographics", "campaigns", "redemptions")
ALL_ON = SwitchesParams()


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
    if source not in SOURCES:
        raise ParamsError(f"There is no source {source} here.", hint=f"There are {', '.join(SOURCES)}.")
    if on.off(source):
        module = plugins.load("twinops.data.sources", source)
        return take(BatchRead(nobody(module), 0), module, batch=BATCH, places=places, keys=keys, off=True)
    return collect(source, BATCH, places=places, engine=engine, keys=keys, sources=sources, own=own)
