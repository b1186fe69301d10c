"""Take one batch of a source in: declared columns only, broken rows to quarantine, all else sealed by subject."""

from dataclasses import replace
from types import ModuleType

from twinops import plugins
from twinops.data.door import BatchRead
from twinops.data.households import among
from twinops.data.own_sources.declared import DeclaredShelf, DeclaredSource, declared, staged
from twinops.data.own_sources.lock import check, check_known, locked_net
from twinops.data.own_sources.reading import read as read_own
from twinops.data.own_sources.reading import together
from twinops.data.own_sources.reading_result import OwnReading
from twinops.errors import DataError
from twinops.workflows.intake import BATCH, Collected, Intake, nobody


def collect(source: str, batch: str, intake: Intake) -> Collected:
    """Collect a batch: a month (2017-03) of transactions, or `all` of another source.

    A source of your own is read in place of the shipped one. A batch without rows is no error: its sealed file is empty
    and its counts are zero, which the next stages show.

    Raises:
        IntegrityError: a source of your own is not what `sources.lock.json` says.
    """
    module = plugins.load("twinops.data.sources", source)
    if plugins.is_idea(module):
        return _idea(module, batch, intake)
    mine = staged(intake.own, source)
    if mine is not None:
        return _own(mine, batch, intake)
    if intake.own.root and intake.sources.folder is None:
        # the shipped rows are other people's; their ids may not meet yours
        return intake.take(BatchRead(nobody(module), 0), module, batch=batch, undeclared=True)
    read = module.read(intake.plane.engine, intake.asked(batch))
    if intake.sources.sample is not None:
        read = among(read, intake.households(batch))
    return intake.take(read, module, batch=batch)


def _idea(module: ModuleType, batch: str, intake: Intake) -> Collected:
    """Take a source that a file of the project reads, from the one file of the project that it names."""
    asked = replace(intake.asked(batch), folder=(intake.plane.places.root / module.FILE).parent)
    read = module.read(intake.plane.engine, asked)
    if intake.sources.sample is not None:
        read = among(read, intake.households(batch))
    return intake.take(read, module, batch=batch)


def _own(as_staged: DeclaredShelf, batch: str, intake: Intake) -> Collected:
    """Take a batch of declared sources, if they are those that were fingerprinted."""
    sources = [own_source(intake, name) for name in intake.own.all_staged_as(as_staged.name)]
    lock, kept = intake.plane.places.sources_lock, intake.plane.places.scratch
    readings = [read_own(source, batch, net=locked_net(lock, source, batch, kept=kept)) for source in sources]
    for source, read in zip(sources, readings, strict=True):
        check(lock, source, batch, read.digest)
        check_known(lock, source)
        _refuse_nothing(source, batch, read)
    told = [(source.said.kind, read) for source, read in zip(sources, readings, strict=True)]
    nobody_told = not any(source.said.form.people for source in sources)
    return intake.take(together(told), as_staged, batch=batch, undeclared=nobody_told)


def own_source(intake: Intake, name: str) -> DeclaredSource:
    """A declared source of this project."""
    return declared(intake.own, name, root=intake.plane.places.root, max_rows=intake.sources.max_rows)


def _refuse_nothing(source: DeclaredSource, batch: str, read: OwnReading) -> None:
    """A file of which nothing can be taken is not what was declared."""
    if batch == BATCH and read.in_file and not read.rows.num_rows and not read.left_out:
        why = ", ".join(f"{reason} {n:,}" for reason, n in read.quarantined.items())
        raise DataError(
            f"{source.where}: nothing was taken of {read.in_file:,} records ({why}).",
            hint=f"`twinops sources check {source.name}` shows lines and shapes of cells.",
        )
