"""Execute one notebook, and refuse to publish it when it shows a subject."""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from twinops.errors import ParamsError
from twinops.ideas import FOLDER, STAGES
from twinops.params import Params, section_names
from twinops.ports import Notebooks
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Executed:
    """The notebook that was published."""

    name: str
    path: Path


def notebook(name: str, *, places: Places, notebooks: Notebooks, params: Params, **parameters: str) -> Executed:
    """Run `notebooks/<name>.py`, or a stage of the project's own, and publish `reports/notebooks/<name>.ipynb`.

    `section` names the section of `params.yaml` that fills what the notebook's own cell of parameters sets to None. So
    a value in the cell, one given here and one in `params.yaml` mean the same; who is nearer to the notebook is heard.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        hint = "Give the file's name without folder and ending, such as `train`."
        raise ParamsError(f"{name!r} is no name of a notebook.", hint=hint)
    own = name in params.ideas.of(STAGES)
    source = places.root / FOLDER / STAGES / f"{name}.py" if own else places.notebook(name)
    section = parameters.pop("section", None)
    said = {given: _value(value) for given, value in parameters.items()}
    left = _passed(params, section, notebooks.left_open(source)) if section is not None else {}
    notebooks.run(source, places.executed(name), parameters={**left, **said}, known_sids=partial(known_sids, places))
    return Executed(name, places.executed(name))


def _passed(params: Params, section: str, left_open: frozenset[str]) -> dict[str, Any]:
    """Of a section of `params.yaml` what the notebook leaves open."""
    if section not in section_names().values():
        raise ParamsError(f"params.yaml has no section {section!r:.60}.", hint="See `twinops notebook --help`.")
    told = getattr(params, section).model_dump(mode="json")
    return {name: value for name, value in told.items() if name in left_open}


def _value(said: str) -> Any:
    """A number where it is one, as papermill's own command line takes it."""
    try:
        return yaml.safe_load(said)
    except yaml.YAMLError:
        return said


def known_sids(places: Places) -> frozenset[str]:
    """Every subject id in the sealed batches; reading them takes no key."""
    import pyarrow.parquet as pq

    batches = sorted((places.root / "data" / "raw").glob("*/*.parquet"))
    found: set[bytes] = set()
    for batch in batches:
        with pq.ParquetFile(batch) as file:
            found.update(file.read(columns=["sid"], use_threads=False)["sid"].unique().to_pylist())
    return frozenset(sid.hex() for sid in found)
