"""Wrap all keys under the next wrapping key: every copy of the key store taken before opens nothing any more."""

from twinops.entities.erasure import KeyStanding
from twinops.ports import KeyKeeper


def rotate(keys: KeyKeeper) -> KeyStanding:
    """No data are touched, and nothing has to be built anew.

    Raises:
        ParamsError: there is no next wrapping key yet.
    """
    return keys.rotate()
