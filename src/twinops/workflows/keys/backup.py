"""Copy the key store, wrapped as it is."""

from pathlib import Path

from twinops.entities.erasure import KeyStanding
from twinops.errors import ParamsError
from twinops.ports import KeyKeeper
from twinops.workflows.places import Places


def backup(into: Path, *, places: Places, keys: KeyKeeper) -> KeyStanding:
    """The copy opens nothing without the wrapping key, which is kept elsewhere, and dies with its rotation.

    Raises:
        ParamsError: the file is there already, or lies where git and DVC would take it.
    """
    if into.resolve().is_relative_to(places.root) and not into.resolve().is_relative_to(places.keystore):
        raise ParamsError("A copy of keys does not lie in the project.", hint="Name a place outside of it.")
    into.parent.mkdir(parents=True, exist_ok=True)
    return keys.back_up(into)
