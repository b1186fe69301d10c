"""Find and check the certificate of a person, by the id they had."""

from twinops.errors import DataError
from twinops.ports import KeyKeeper
from twinops.workflows.places import Places
from twinops.workflows.subject.certificate import CertificateChecked, certificate


def certificate_of(who: str, *, places: Places, keys: KeyKeeper) -> CertificateChecked:
    """Its name stands in the key store, under a keyed hash of the id.

    Raises:
        DataError: nobody of this id was erased.
    """
    name = keys.erased_as([who]).get(who)
    if name is None:
        raise DataError("Nobody of this id was erased here.", hint="`twinops subject erase` erases.")
    return certificate(name, places=places)
