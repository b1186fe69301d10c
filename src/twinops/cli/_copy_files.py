"""Leave the files of a copy in a new folder or a zip, for the eyes of whoever made it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from twinops.errors import ParamsError

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
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix.lower() == ".zip":
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.comment = subject.encode()
            for name, content in files.items():
                packed.writestr(zipfile.ZipInfo(name, _ZIP_DATE), content, zipfile.ZIP_DEFLATED)
        return
    out.mkdir(mode=0o700, exist_ok=True)
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)
