"""Which files a project begins with: those that twinops renews, and those that are the owner's from the first day."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from twinops.entities.rights import FOLLOWED, RightsHead
from twinops.errors import ParamsError
from twinops.plugins import carried, text_beside
from twinops.workflows.project.opened import left_open

LOCK = "project.lock.json"
TEMPLATE = "setup/project"
"""Files of a project that this repository has no use for itself."""
SAME = (".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitattributes", ".gitignore", "jupytext.toml")
FOLDERS = ("notebooks/*.py", "setup/lab/*")
PAGES = "docs/*.md"
"""Pages that notebooks, declarations and messages name."""
_LINK = re.compile(r"(!?)\[([^\]]+)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")
QUIET = "setup/quiet.env"
"""What keeps tools from calling home: `make` sets it, and the command line itself."""
DECLARED = "compliance/*"
_ABOUT = "# Where `make setup` gets twinops from; yours to change. What its code changes, `make run` runs again.\n"
_LOCAL = (
    "# The next line names a place on this machine; for other machines write a version or an address that they reach.\n"
)
Texts = Mapping[str, str]
"""Path in the project -> its text."""


@dataclass(frozen=True)
class Installed:
    """The twinops that makes or renews a project, as the command line finds it installed."""

    version: str
    pipeline: str
    """The text of `dvc.yaml`."""
    requirement: str
    """The line of a requirements file that installs it again."""


def renewed(installed: Installed) -> Texts:
    """Files of twinops' own: `twinops upgrade` brings them up to date where the owner left them as they were."""
    root = carried()
    same = {path: root / path for path in SAME}
    found = {p.relative_to(root).as_posix(): p for pattern in FOLDERS for p in root.glob(pattern) if p.is_file()}
    template = root / TEMPLATE
    made = {p.relative_to(template).as_posix(): p for p in sorted(template.rglob("*")) if _is_text(p)}
    texts = {path: file.read_text(encoding="utf-8") for path, file in {**same, **found, **made}.items()}
    texts |= _pages(root)
    return {**texts, "dvc.yaml": installed.pipeline, QUIET: text_beside("twinops.adapters", "quiet.env")}


def _pages(root: Path) -> Texts:
    """The pages, in which a link to what a project has not (pictures, decisions on the code) is text alone."""
    found = {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8") for p in sorted(root.glob(PAGES))}

    def kept(link: re.Match[str]) -> str:
        return link[0] if f"docs/{link[3]}" in found else link[2]

    return {path: _LINK.sub(kept, text) for path, text in found.items()}


def owners(installed: Installed, *, own: bool) -> Texts:
    """Files that are the owner's, written once. `own`: what only people can say is left open."""
    root = carried()
    declared = {p.relative_to(root).as_posix(): p for p in sorted(root.glob(DECLARED)) if p.is_file()}
    texts = {path: file.read_text(encoding="utf-8") for path, file in declared.items()}
    texts["params.yaml"] = (root / "params.yaml").read_text(encoding="utf-8")
    local = _LOCAL if " @ file:" in installed.requirement else ""
    return {
        **(left_open(texts) if own else texts),
        "epoch.json": json.dumps({"epoch": 0}) + "\n",
        **dict.fromkeys(FOLLOWED, RightsHead().to_text()),
        "retained.json": "{}\n",
        "sources.lock.json": json.dumps({"own": {}}, indent=1) + "\n",
        "requirements.txt": f"{_ABOUT}{local}{installed.requirement}\npytest>=8\n",
    }


def record(version: str, files: Mapping[str, str]) -> str:
    """The text of `project.lock.json`: by which version, and what each renewable file was when twinops wrote it."""
    return json.dumps({"twinops": version, "files": dict(sorted(files.items()))}, indent=1) + "\n"


def digests(texts: Texts) -> dict[str, str]:
    """SHA-256 of each text."""
    return {path: digest(text) for path, text in texts.items()}


def recorded(root: Path) -> dict[str, str]:
    """What twinops last wrote: path -> SHA-256.

    Raises:
        ParamsError: the folder was not made by `twinops init`.
    """
    try:
        files = json.loads((root / LOCK).read_bytes())["files"]
        return {str(path): str(told) for path, told in files.items()}
    except FileNotFoundError:
        what = f"There is no {LOCK} here: this folder was not made by `twinops init`."
        raise ParamsError(what, hint="Run it in the project's folder.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ParamsError(f"{LOCK} cannot be read.", hint="Restore it from git.") from None


def digest(text: str) -> str:
    """SHA-256 of a file's text."""
    return sha256(text.encode()).hexdigest()


def _is_text(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
