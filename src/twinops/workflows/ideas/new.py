"""Begin a file of the project's own from a working example, and name it in `params.yaml`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from twinops import plugins
from twinops.errors import ParamsError
from twinops.ideas import FOLDER, FOLDERS, KINDS, named
from twinops.plugins import text_beside
from twinops.whole_files import write
from twinops.workflows.params_file import put_sections
from twinops.workflows.places import Places


@dataclass(frozen=True)
class BegunIdea:
    """The new file in the project."""

    path: str


def new(kind: str, name: str, *, places: Places, sql: bool = False) -> BegunIdea:
    """Write `ideas/KINDs/NAME.py` (or .sql) and its entry; nothing that exists is touched.

    Raises:
        ParamsError: no such kind, no such name, or the file is there already.
    """
    folder = next((f for f in FOLDERS if kind in (f, f.removesuffix("s"))), None)
    if folder is None:
        raise ParamsError(f"There is no kind {kind!r:.40}.", hint=f"Those are {', '.join(FOLDERS)}.")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
        raise ParamsError(f"{name!r:.60} is no name for a file.", hint="Use small letters, digits and _.")
    if folder in KINDS and name in plugins.shipped(KINDS[folder].shelf):
        raise ParamsError(f"twinops ships {name} itself.", hint="Choose another name: nothing shipped is replaced.")
    ending = "sql" if sql and folder == "features" else "py"
    path = f"{folder}/{name}.{ending}"
    if (places.root / FOLDER / path).exists():
        raise ParamsError(f"{FOLDER}/{path} is there already.", hint="Edit it, or choose another name.")
    told = sorted({*named(places.root).root, path})
    put_sections(places, {"ideas": told})
    write(places.root / FOLDER / path, example(folder, name, ending))
    return BegunIdea(f"{FOLDER}/{path}")


def example(folder: str, name: str, ending: str = "py") -> str:
    """A file that works as it is."""
    text = text_beside(__package__, "examples", f"{folder}.{ending}.txt")
    return text.replace("NAME", name)
