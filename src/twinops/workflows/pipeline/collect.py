"""Take one batch of a source in: declared columns only, broken rows to quarantine, all else sealed by subject."""

from twinops import plugins
from twinops.data.door import BatchRead
from twinops.data.households import among
from twinops.data.own_sources.declared import declared, shelf
from twinops.data.own_sources.lock import check
from twinops.data.own_sources.reading import cells_of
from twinops.data.own_sources.reading import read as read_own
from twinops.workflows.intake import Collected, Intake, nobody


def collect(source: str, batch: str, intake: Intake) -> Collected:
    """Collect a batch: a month (2017-03) of transactions, or `all` of another source.

    A source of your own is read in place of the shipped one. A batch without rows is no error: its sealed file is empty
    and its counts are zero, which the next stages show.

    Raises:
        IntegrityError: a source of your own is not what `sources.lock.json` says.
    """
    module = plugins.load("twinops.data.sources", source)
    mine = intake.own.staged_as(source)
    if mine is not None:
        return _own(mine, batch, intake)
    if intake.own.root and intake.sources.folder is None:
        # the shipped rows are other people's; their ids may not meet yours
        return intake.take(BatchRead(nobody(module), 0), module, batch=batch, undeclared=True)
    read = module.read(intake.plane.engine, intake.asked(batch))
    if intake.sources.sample is not None:
        read = among(read, intake.households(batch))
    return intake.take(read, module, batch=batch)


def _own(name: str, batch: str, intake: Intake) -> Collected:
    """Take a batch of a declared source, if it is the one that was fingerprinted."""
    places = intake.plane.places
    source = declared(intake.own, name, root=places.root, max_rows=intake.sources.max_rows)
    cells = cells_of(source, batch)
    check(places.sources_lock, source, batch, cells.digest)
    return intake.take(read_own(source, batch, cells), shelf(source.said), batch=batch)
