"""Let the data owner sign the answers to the retention proposal, with a key of their own."""

from pathlib import Path

from twinops.errors import IntegrityError, ParamsError
from twinops.governance.law import retention
from twinops.governance.people.offices import SOURCE
from twinops.ports import Signer
from twinops.workflows.compliance_files import SIGNATURE, signatory
from twinops.workflows.places import Places
from twinops.workflows.retention.status import RetentionStatus
from twinops.workflows.retention.status import status as retention_status


def sign(places: Places, signer: Signer, *, email: str, key: Path) -> RetentionStatus:
    """Sign the whole file; a signature that does not count is taken away again.

    Raises:
        ParamsError: nobody of this address, or nothing was decided for the proposal as it is now.
        IntegrityError: the signature does not count.
    """
    signatory(places, email)
    before = retention_status(places)
    if len(before.review["open"]) == len(before.texts):
        raise ParamsError("Nothing is decided for this proposal.", hint="`twinops retention decide` takes answers.")
    path = places.compliance / "retention.yaml"
    signer.sign(path, key=key, namespace=retention.NAMESPACE)
    found = retention_status(places)
    if found.review["problem"]:
        path.with_name(path.name + SIGNATURE).unlink(missing_ok=True)
        raise IntegrityError(
            f"Not signed: {found.review['problem']}.",
            hint=f"The data owner who decided signs; the key stands in {SOURCE}.",
        )
    return found
