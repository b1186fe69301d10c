"""Put the service together: twins, journal, clients, model and guards of one project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twinops.errors import DataError, IntegrityError, ParamsError, ServiceError
from twinops.service.answers import Service
from twinops.service.clients import Clients
from twinops.service.decisions import DecisionLog
from twinops.service.declared import NAME
from twinops.service.files import Files, stamp, wait
from twinops.service.guards import DeclaredUse, Guards
from twinops.service.intake import Applied, Writer
from twinops.service.issuers import Issuers, began
from twinops.service.journal import Journal
from twinops.service.production import Production
from twinops.service.watch import Watch
from twinops.workflows.decision_lines import FOLDER, KEY, folder_of
from twinops.workflows.places import Places
from twinops.workflows.serving.live import LiveGround, LiveTwins, live


@dataclass(frozen=True)
class Serving:
    """How to serve: which model, by whose key, and what share of the answers is logged for how many days."""

    uri: str = "twin@production"
    key: str | None = None
    share: float = 1.0
    keep_days: int = 90


def clients_file(places: Places) -> Path:
    """Where the clients lie: with what lives, outside git."""
    return places.live(FOLDER) / "clients.json"


def begun(places: Places, serving: Serving) -> tuple[Clients, Issuers, Production]:
    """Who may ask, and the model that is vouched for.

    Raises:
        ParamsError: nobody could ask, or a mistake in `compliance/clients.yaml`.
        ServiceError: no model is vouched for.
    """
    clients = Clients(clients_file(places))
    clients.follow()
    issuers = began(places.compliance / NAME, clients.known)
    if not clients.known and not issuers.known:
        raise ParamsError("No client is let in yet.", hint="`twinops clients add shop --purpose offers --may predict`.")
    production = Production(serving.uri, places, serving.key)
    production.check()
    if production.now is None:
        raise ServiceError(f"No model is vouched for: {production.why}", hint="See `twinops model verify`.")
    return clients, issuers, production


@dataclass(frozen=True)
class Read:
    """Everybody as they were read, the files that they were read from, and how far keys and rights were before."""

    twins: LiveTwins
    files: Files
    epoch: int
    entries: int


def opened(ground: Callable[[], LiveGround], serving: Serving) -> Service:
    """The service, with a model that is vouched for and everybody's twin in memory.

    `ground` opens the project, with the parameters that stand then: now, and once its files are others.

    Raises:
        ParamsError, ServiceError: see `begun`.
    """
    first = ground()
    places = first.opener.places
    clients, issuers, production = begun(places, serving)
    read = _read(places, ground)
    journal = Journal(places.live(FOLDER) / "events.db")
    applied = Applied(journal, read.twins, read.files)
    log = DecisionLog(folder_of(places), _key(first), serving.share, serving.keep_days)
    declared = DeclaredUse(places)
    declared.follow()
    watch = Watch(read.twins, applied, clients, issuers, production, log, declared, read.epoch, read.entries)
    watch.look()
    journal.drop(applied.covered)
    guards = Guards(read.twins, clients, issuers, declared)
    service = Service(read.twins, guards, production, Writer(applied, watch.news.set), watch, log)
    watch.changed, watch.renew = service.warmed, service.renew
    watch.ahead = lambda files: Applied(journal, live(ground=ground()), files)
    service.warmed()
    production.check()  # opening takes longer than a word of the registry counts
    return service


def _read(places: Places, ground: Callable[[], LiveGround]) -> Read:
    """Open everybody, from files that nobody makes anew meanwhile."""
    while True:
        wait(places.root)
        files, now = Files(places, stamp(places)), ground()
        # counted before anybody is opened: what comes meanwhile is news to the first look
        epoch, entries = now.opener.receipts.plane.keys.epoch(), now.rights.length()
        try:
            twins = live(ground=now)
        except (DataError, IntegrityError):
            if files.stand():
                raise
            continue
        if files.stand():
            return Read(twins, files, epoch, entries)


def _key(ground: LiveGround) -> bytes:
    return ground.opener.receipts.plane.keys.batch_key(*KEY)
