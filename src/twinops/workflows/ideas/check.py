"""Greet the files of a project with the checks of their shelves."""

from __future__ import annotations

from dataclasses import dataclass

from twinops import ideas, plugins
from twinops.errors import ParamsError
from twinops.ideas import FOLDER, STAGES, folder_of, name_of
from twinops.ports import Engine
from twinops.workflows.ideas.greeting import Here, greeted, notebook
from twinops.workflows.policy_file import policy_of
from twinops.workflows.watched_pipeline import OwnThings

WATCHED = "dvc.yaml has it as a dep of whoever may load it"


@dataclass(frozen=True)
class Greeted:
    """One check of one file: the sentence, and why it does not hold; empty: it holds."""

    path: str
    sentence: str
    problem: str


def check(things: OwnThings, engine: Engine, *, name: str = "") -> tuple[Greeted, ...]:
    """The checks of one file by its name, or of all that `params.yaml` names.

    Raises:
        ParamsError: none is called so, or one may not stand on its shelf.
    """
    root = things.places.root
    asked = [p for p in things.ideas.paths if name in ("", name_of(p), p, p.removeprefix(f"{FOLDER}/"))]
    if name and not asked:
        raise ParamsError(f"params.yaml names no idea {name!r:.60}.", hint="List the file under `ideas`.")
    if not asked:
        return ()
    plugins.lay(ideas.read(root, things.ideas))
    here = Here(things.places, engine, policy_of(things.places) if (root / "compliance").is_dir() else None)
    watched = is_watched(things)
    return tuple(found for path in asked for found in (*_greeted(path, here), Greeted(path, WATCHED, watched)))


def _greeted(path: str, here: Here) -> tuple[Greeted, ...]:
    if folder_of(path) == STAGES:
        text = (here.places.root / path).read_text(encoding="utf-8")
        return tuple(Greeted(path, *told) for told in notebook(text, name_of(path)))
    idea = next(i for i in plugins.laid() if i.path == path)
    return tuple(Greeted(path, *told) for told in greeted(idea, here))


def is_watched(things: OwnThings) -> str:
    """Why `dvc.yaml` is not what it should be; empty: it is, or there is none."""
    if not things.places.pipeline.is_file():
        return ""
    text = things.places.pipeline.read_text(encoding="utf-8")
    return "" if things.watched(text) == text else "`make run` or `twinops ideas check` writes it; commit that"
