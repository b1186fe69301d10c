"""Take the table of products in, your own or the shipped one: it tells of nobody, so it lies in the open."""

import pyarrow as pa
import pyarrow.parquet as pq

from twinops.data import products
from twinops.data.own_sources.declared import declared, shelf
from twinops.data.own_sources.lock import check
from twinops.data.own_sources.reading import read
from twinops.data.own_sources.reading_result import OwnReading
from twinops.data.vault.seal import write_quarantine
from twinops.whole_files import beside
from twinops.workflows.intake import BATCH, Collected, Intake, counted, publish

NAME = "products"


def collect_products(intake: Intake) -> Collected:
    """Write `data/products/all.parquet`; where no products are declared, or none lie in the folder, it is empty.

    Raises:
        IntegrityError: your own file is not what `sources.lock.json` says.
        DataError: it cannot be read.
    """
    mine = intake.own.staged_as(NAME)
    if mine is not None:
        return _own(mine, intake)
    # the shipped table knows other articles by the same numbers
    nothing = bool(intake.own.root) and intake.sources.folder is None
    found = products.NOTHING if nothing else products.shipped(intake.plane.engine, intake.asked())
    return _kept(OwnReading(found, found.num_rows), intake, undeclared=nothing)


def _own(name: str, intake: Intake) -> Collected:
    source = declared(intake.own, name, root=intake.plane.places.root, max_rows=intake.sources.max_rows)
    found = read(source, BATCH)
    check(intake.plane.places.sources_lock, source, BATCH, found.digest)
    return _kept(found, intake, rows=shelf(source.said).sealed(found.rows))


def _kept(found: OwnReading, intake: Intake, *, rows: pa.Table | None = None, undeclared: bool = False) -> Collected:
    places, keys = intake.plane.places, intake.plane.keys
    table = (found.rows if rows is None else rows).replace_schema_metadata(None)
    with beside(places.products) as half:
        pq.write_table(table, half)
    write_quarantine(found.refused, places.quarantine(NAME, BATCH), dataset=NAME, batch=BATCH, keys=keys)
    told = Collected(
        source=NAME,
        batch=BATCH,
        in_file=found.in_file,
        read=table.num_rows + found.refused.num_rows,
        taken=table.num_rows,
        subjects=0,
        suppressed=0,
        quarantined=counted(found.refused),
        dropped_columns=found.dropped,
        oldest_day=None,
        newest_day=None,
        unscored=found.lost,
        undeclared=undeclared,
    )
    publish(told, places.counts(NAME, BATCH))
    return told
