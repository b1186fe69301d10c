"""The ledger of looks as it lies in the project, and by what a candidate is known in it."""

import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import twinops.twin
from twinops.entities.canonical import digest
from twinops.errors import DataError
from twinops.governance import looks
from twinops.governance.looks import TRIED, Looks
from twinops.params import HoldoutParams
from twinops.whole_files import write
from twinops.workflows.learning import Learning
from twinops.workflows.places import Places


def looks_of(places: Places) -> Looks:
    """The ledger; empty where nothing was measured yet.

    Raises:
        IntegrityError: a line was changed or taken out.
        DataError: it is longer than is ever read.
    """
    if not places.looks.is_file():
        return Looks()
    if places.looks.stat().st_size > looks.MOST_BYTES:
        raise DataError(f"{places.looks.name} is too long to be read.", hint="Restore it from git.")
    return looks.read(places.looks.read_text(encoding="utf-8", errors="replace"), name=places.looks.name)


def add(places: Places, kind: str, about: Mapping[str, Any]) -> Looks:
    """Write one event before what it is about is seen: what may have been looked at counts as looked at."""
    with _alone(places.scratch / "looks.lock"):
        grown = looks_of(places).with_one(kind, about)
        write(places.looks, grown.text())
    return grown


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def split_of(rule: HoldoutParams) -> dict[str, Any]:
    """How a split is written in the ledger."""
    return {"salt": rule.salt, "share": rule.share}


def count_tried(learning: Learning, days: tuple[int, ...], rule: HoldoutParams) -> None:
    """Count the candidate among those measured on these days; one that was counted before stays counted once."""
    places, candidate = learning.plane.places, candidate_of(learning, days)
    if not looks_of(places).knows(TRIED, candidate):
        add(places, TRIED, {"candidate": candidate, "days": list(days), "split": split_of(rule)})


def candidate_of(learning: Learning, days: tuple[int, ...]) -> str:
    """What makes its figures on these days: rows, recipe, choice and the code of the twin, never the figures.

    Another processor's last bits are therefore no other candidate.

    Raises:
        DataError: there are no rows, or nobody was chosen yet.
    """
    places, recipe = learning.plane.places, asdict(learning.recipe)
    plain = {name: value.model_dump(mode="json") if hasattr(value, "model_dump") else value
             for name, value in recipe.items()}  # fmt: skip
    rows = [_content(path) for path in (places.panel, places.labels)]
    return digest({"rows": rows, "recipe": plain, "days": list(days), "code": code_of_the_twin()})


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise DataError(f"There is no {path.name} of features yet.", hint="Run `make run`.") from None


@cache
def code_of_the_twin() -> str:
    """Digest of the modules that make and apply a model; what its queries do shows in the rows."""
    top = Path(twinops.twin.__file__).parent
    files = sorted(top.rglob("*.py"))
    return digest({p.relative_to(top).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files})
