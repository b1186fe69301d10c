"""Take the consent ledger in: your own, or for the shipped data a SYNTHETIC one around its households."""

from twinops.data.door import BatchRead
from twinops.data.sources import consent
from twinops.demo.consent import ledger
from twinops.errors import DataError
from twinops.params import ConsentParams
from twinops.workflows.intake import BATCH, Collected, Intake
from twinops.workflows.pipeline.collect import collect


def collect_consent(intake: Intake, made_up: ConsentParams) -> Collected:
    """Collect the ledger.

    For data of your own consent is never made up: declare a source of consent, or put `consent.parquet` in your folder.

    Raises:
        DataError: there is neither.
    """
    if intake.own.root and intake.own.of_kind("consent") is None and intake.sources.folder is None:
        raise DataError(
            "Sources of your own are declared, and no ledger of consent.",
            hint="Declare one of kind consent under own in params.yaml; consent that is unknown refuses.",
        )
    if intake.is_own:
        return collect("consent", BATCH, intake)
    rows = ledger(intake.households().to_pylist(), seed=made_up.seed, excluded_share=made_up.excluded_share)
    return intake.take(BatchRead(rows, rows.num_rows), consent)
