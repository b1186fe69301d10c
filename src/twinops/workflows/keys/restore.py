"""Put a copy of the key store in place of what is here; whoever was erased since is forgotten again."""

from pathlib import Path

from twinops.entities.erasure import ErasureMarks, KeyStanding
from twinops.errors import DataError
from twinops.ports import KeyRestorer
from twinops.workflows.places import Places


def restore(file: Path, *, places: Places, keys: KeyRestorer) -> KeyStanding:
    """Goes by the pseudonyms in `epoch.json`: take the newest from git first.

    Raises:
        DataError: there is no such file.
        IntegrityError: it is no copy of a key store, or its wrapping key was destroyed.
    """
    if not file.is_file():
        raise DataError(f"There is no {file.name}.", hint="Name a file that `twinops keys backup` wrote.")
    return keys.restore(file, ErasureMarks.from_text(places.epoch.read_bytes()))
