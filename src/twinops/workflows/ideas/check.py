"""Greet the files of a project with the checks of their shelves, and let DVC see them."""

from __future__ import annotations

from dataclasses import dataclass

from twinops import ideas, plugins
from twinops.errors import ParamsError
from twinops.ideas import FOLDER, STAGES, folder_of, name_of
from twinops.ports import Engine
from twinops.workflows.ideas.greeting import Here, greeted, notebook
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of
from twinops.workflows.watched_pipeline import OwnThings


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
    plugins.lay(ideas.read(root, things.ideas))
    _watch(things)
    here = Here(things.places, engine, policy_of(things.places) if (root / "compliance").is_dir() else None)
    return tuple(found for path in asked for found in _greeted(path, here))


def _greeted(path: str, here: Here) -> tuple[Greeted, ...]:
    if folder_of(path) == STAGES:
        text = (here.places.root / path).read_text(encoding="utf-8")
        return tuple(Greeted(path, *told) for told in notebook(text, name_of(path)))
    idea = next(i for i in plugins.laid() if i.path == path)
    return tuple(Greeted(path, *told) for told in greeted(idea, here))


def _watch(things: OwnThings) -> None:
    """Write into `dvc.yaml` who depends on them."""
    pipeline: Places = things.places
    if pipeline.pipeline.is_file():
        before = pipeline.pipeline.read_text(encoding="utf-8")
        after = things.watched(before)
        if after != before:
            pipeline.pipeline.write_text(after, encoding="utf-8")
