"""Execute one notebook, and refuse to publish it when it shows a subject."""

import re
from dataclasses import dataclass
from pathlib import Path

from twinops.errors import ParamsError
from twinops.ideas import FOLDER, NO_IDEAS, STAGES, IdeasParams
from twinops.ports import Notebooks
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Executed:
    """The notebook that was published."""

    name: str
    path: Path


def notebook(
    name: str, *, places: Places, notebooks: Notebooks, ideas: IdeasParams = NO_IDEAS, **parameters: str
) -> Executed:
    """Run `notebooks/<name>.py`, or a stage of the project's own, and publish `reports/notebooks/<name>.ipynb`."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        hint = "Give the file's name without folder and ending, such as `train`."
        raise ParamsError(f"{name!r} is no name of a notebook.", hint=hint)
    own = name in ideas.of(STAGES)
    source = places.root / FOLDER / STAGES / f"{name}.py" if own else places.notebook(name)
    notebooks.run(source, places.executed(name), parameters=parameters, known_sids=known_sids(places))
    return Executed(name, places.executed(name))


def known_sids(places: Places) -> frozenset[str]:
    """Every subject id in the sealed batches; reading them takes no key."""
    import pyarrow.parquet as pq

    batches = sorted((places.root / "data" / "raw").glob("*/*.parquet"))
    found: set[bytes] = set()
    for batch in batches:
        with pq.ParquetFile(batch) as file:  # without threads: the notebook's cells will run in a fork
            found.update(file.read(columns=["sid"], use_threads=False)["sid"].unique().to_pylist())
    return frozenset(sid.hex() for sid in found)
