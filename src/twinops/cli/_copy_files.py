"""Leave the files of a copy in a new folder or a zip, for the eyes of whoever made it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from twinops.errors import ParamsError
from twinops.whole_files import OWNER_ALONE, beside, write

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The oldest a zip can tell: when it was made stands on the page."""


def against_full(out: Path) -> None:
    """Nothing is overwritten: another person's copy may lie there.

    Raises:
        ParamsError: something is there already.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise ParamsError(f"{out.name} is there already, and is not empty.", hint="Name a new folder or file.")


def write_copy(out: Path, files: Mapping[str, bytes], *, subject: str) -> None:
    """Write them, readable by nobody else on this machine; a zip says outside whose it is, for whoever erases."""
    if out.suffix.lower() == ".zip":
        with beside(out, mode=OWNER_ALONE) as half, zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.comment = subject.encode()
            for name, content in files.items():
                packed.writestr(zipfile.ZipInfo(name, _ZIP_DATE), content, zipfile.ZIP_DEFLATED)
            against_full(out)  # somebody else may have written there meanwhile
        return
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write(path, content, mode=OWNER_ALONE)
