"""Let DVC see your own sources: `dvc.yaml` names files of the project, `sources.lock.json` what lies elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinops.data.own_sources import lock, watching
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.receipts import kept_nets
from twinops.params import SourcesParams
from twinops.workflows.declared_use import against_nobody
from twinops.workflows.ideas.watch import watch
from twinops.workflows.watched_pipeline import OwnThings


@dataclass(frozen=True)
class Fingerprinted:
    """How much each source holds that DVC does not see, or not all of, by batch; those that it sees by itself."""

    outside: dict[str, tuple[str, ...]]
    seen: tuple[str, ...]


def fingerprint(
    things: OwnThings, *, sources: SourcesParams, nets: Mapping[str, lock.Nets] | None = None, anew: bool = False
) -> Fingerprinted:
    """Write into `dvc.yaml` what is watched, ideas too, and read sources outside the project for `sources.lock.json`.

    `nets`: what returns do in months of folders that were read a moment ago; if another file came since, collecting it
    is refused. With `anew` nothing that the lock says already is taken for true.

    Raises:
        DataError, ParamsError, ServiceError: a source cannot be read, or is of real people and the controller is made
            up; nothing was written.
    """
    places, own = things.places, things.own
    against_nobody(places, own)
    seen = tuple(name for name, said in own.root.items() if watching.by_itself(said, places.root))
    found = {
        name: lock.fingerprint(
            declared(own, name, root=places.root, max_rows=sources.max_rows),
            (nets or {}).get(name),
            before=None if anew else places.sources_lock,
        )
        for name in own.root
        if name not in seen or not places.pipeline.is_file() or own.root[name].joins or own.root[name].known_by
    }
    watch(things)
    lock.write(places.sources_lock, found)
    if nets:
        kept_nets.keep(places.scratch, nets)
    else:
        kept_nets.forget(places.scratch)
    return Fingerprinted({name: tuple(map(_told, of.items())) for name, of in found.items()}, seen)


def _told(batch: tuple[str, dict[str, Any]]) -> str:
    name, facts = batch
    return f"{name} {facts['bytes']:,} bytes" if "bytes" in facts else f"{name} {facts['records']:,} records"
