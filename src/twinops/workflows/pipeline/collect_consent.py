"""Take the consent ledger in: your own, or for the shipped data a SYNTHETIC one around its households."""

from twinops.data.door import BatchRead
from twinops.data.sources import consent
from twinops.demo.consent import ledger
from twinops.entities.consent import LegalBasis, Purpose
from twinops.errors import DataError
from twinops.own_params import OwnParams
from twinops.params import ConsentParams
from twinops.workflows.intake import BATCH, Collected, Intake, nobody
from twinops.workflows.pipeline.collect import collect


def collect_consent(intake: Intake, made_up: ConsentParams) -> Collected:
    """Collect the ledger.

    For data of your own consent is never made up: declare a source of consent, or put `consent.parquet` in your folder.
    Where nothing rests on consent there may be no ledger: it is empty then, and nobody objected.

    Raises:
        DataError: something rests on consent, and there is neither.
    """
    if intake.own.root and not intake.own.all_staged_as("consent") and intake.sources.folder is None:
        if not rests_on_consent(intake.own):
            return intake.take(BatchRead(nobody(consent), 0), consent)
        raise DataError(
            "Sources of your own are declared, and no ledger of consent.",
            hint="Declare one of kind consent under own in params.yaml; consent that is unknown refuses.",
        )
    if intake.is_own:
        return collect("consent", BATCH, intake)
    rows = ledger(intake.households().to_pylist(), seed=made_up.seed, excluded_share=made_up.excluded_share)
    return intake.take(BatchRead(rows, rows.num_rows), consent)


def rests_on_consent(own: OwnParams) -> bool:
    """Whether receipts of your own may train only where somebody said yes; shipped ones do."""
    sales = own.of_kind("transactions")
    return sales is None or own.root[sales].legal.acted_on.get(Purpose.TRAINING) is LegalBasis.CONSENT
