"""Write into `dvc.yaml` which stages depend on the project's own files, and the stages that are its own."""

from __future__ import annotations

from twinops.whole_files import write
from twinops.workflows.watched_pipeline import OwnThings


def watch(things: OwnThings) -> bool:
    """Whether anything had to be written.

    Raises:
        ParamsError: a file may not stand on its shelf, or does not say what its stage needs.
    """
    if not things.places.pipeline.is_file():
        return False
    before = things.places.pipeline.read_text(encoding="utf-8")
    after = things.watched(before)
    if after != before:
        write(things.places.pipeline, after)
    return after != before
