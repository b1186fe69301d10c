"""Parse each file that DVC reads once, as long as it stays as it is; DVC parses it again for every stage.

With a month a stage, and facts of every month in `sources.lock.json`, that grew with the square of the months.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

_GLOB = frozenset("*?[]!")


@contextmanager
def parsed_once() -> Iterator[None]:
    """Parameters, `dvc.yaml` and `dvc.lock` are parsed once; what is parsed, found and refused stays DVC's own."""
    from dvc.dependency import param
    from dvc.utils import strictyaml

    found, parse, load = param.read_param_file, param.load_path, strictyaml.load
    param.load_path = _once(parse)
    strictyaml.load = _copied(_once(load))
    param.read_param_file = lambda fs, path, key_paths=None, flatten=False, **how: (
        (_plainly(param.load_path(path, fs, **how), key_paths) if key_paths and flatten else None)
        or found(fs, path, key_paths, flatten, **how)
    )
    try:
        yield
    finally:
        param.read_param_file, param.load_path, strictyaml.load = found, parse, load


def _once(parse: Callable[..., Any]) -> Callable[..., Any]:
    """The same for files as they are now."""
    known: dict[Any, Any] = {}

    def load(path: str, *more: Any, **how: Any) -> Any:
        if not Path(path).exists():
            return parse(path, *more, **how)
        about = Path(path).stat()
        # DVC names a file of the project from the root of the system here, and from its own folder there
        as_it_is = (str(Path(path).absolute()), about.st_mtime_ns, about.st_size, how.get("round_trip", False))
        if as_it_is not in known:
            known[as_it_is] = parse(path, *more, **how)
        return known[as_it_is]

    return load


def _copied(load: Callable[..., Any]) -> Callable[..., Any]:
    """Whoever is given what was parsed may change it."""
    return lambda *words, **how: deepcopy(load(*words, **how))


def _plainly(config: Any, keys: list[str]) -> dict[str, Any] | None:
    """The values of dotted keys, looked up step by step; None where one is not to be found so: DVC then searches."""
    told: dict[str, Any] = {}
    for key in keys:
        value = config
        for step in key.split("."):
            if not isinstance(value, dict) or step not in value or _GLOB & set(step):
                return None
            value = value[step]
        told[key] = deepcopy(value)  # two stages that share a section would be written as YAML anchors
    return told
